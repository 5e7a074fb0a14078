import { PersistenceError } from '../../core/errors/index.ts';
import type { Document } from '../document-api.ts';
import type { SchemaIssue } from './standard-schema.ts';

/** One reason why a document does not fit its schema. */
export interface DocumentIssue {
  /** Path as in a filter, such as `address.city`; empty for the whole document. */
  readonly path: string;
  /** The message of the validator. */
  readonly message: string;
}

/** A stored document that does not fit the schema of its collection. */
export interface InvalidDocument {
  readonly key: string;
  /** The stored document, without its version. */
  readonly value: Document;
  /** At most 20. */
  readonly issues: readonly DocumentIssue[];
}

/** Maximum number of issues kept; a validator may find thousands. */
const ISSUES_MAX = 20;

export function toIssues(issues: readonly SchemaIssue[]): DocumentIssue[] {
  return issues.slice(0, ISSUES_MAX).map(({ path = [], message }) => ({
    path: path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.'),
    message,
  }));
}

/** PERSISTENCE_ERROR / DOCUMENT_INVALID; details: collection, key, issues. */
export function documentInvalid(
  collection: string,
  key: string,
  issues: readonly DocumentIssue[],
  what: 'written' | 'stored',
): PersistenceError {
  const reasons = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  const remedy =
    what === 'written'
      ? 'it was not written'
      : 'another node, or an earlier release, wrote it so: `invalid()` lists all';
  return new PersistenceError(
    'DOCUMENT_INVALID',
    `document ${JSON.stringify(key)} does not fit the schema of collection ${JSON.stringify(collection)}: ${reasons}; ${remedy}`,
    { details: { collection, key, issues } },
  );
}
