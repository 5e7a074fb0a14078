export { lww } from './lww.ts';
export { type ResolvedDocument, type ResolveOptions, resolveDocument } from './resolve-document.ts';
export type { Resolver } from './resolver.ts';
