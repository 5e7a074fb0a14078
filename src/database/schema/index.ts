export type { CollectionOptions } from './collection-options.ts';
export { Definitions } from './definitions.ts';
export type { Decoded, DocumentCodec } from './document-codec.ts';
export { type DocumentIssue, documentInvalid, type InvalidDocument } from './document-invalid.ts';
export type { CountablePath, FieldOperators, Filter, Path, Sort, ValueAt } from './filter-types.ts';
export { mergePatch, type Patch } from './merge-patch.ts';
export type { InputOf, OutputOf, SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts';
