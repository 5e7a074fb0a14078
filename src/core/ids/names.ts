import { PersistenceError } from '../errors/index.ts';

declare const collectionBrand: unique symbol;
declare const keyBrand: unique symbol;
/** Name of a collection: 1 to 128 bytes of UTF-8 without control characters. Not normalised. */
export type CollectionName = string & { readonly [collectionBrand]: true };
/** Key of a document in its collection: 1 to 1,024 bytes of UTF-8. Not normalised; lone surrogates are refused. */
export type DocumentKey = string & { readonly [keyBrand]: true };

const COLLECTION_NAME_BYTES_MAX = 128;
const DOCUMENT_KEY_BYTES_MAX = 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the purpose
const CONTROL = /[\u0000-\u001f\u007f]/;

/** The collection that holds blobs. Names that begin with `$` are reserved for the database: programs cannot open them. */
export const BLOBS_COLLECTION: CollectionName = '$blobs' as CollectionName;

/** Whether the collection belongs to the database itself. */
export function isReserved(name: CollectionName): boolean {
  return name.startsWith('$');
}

/** One text that names a document of any collection. It is unique, since names of collections hold no control characters. */
export function fullKey(collection: CollectionName, key: DocumentKey): string {
  return `${collection}\u0000${key}`;
}

/** Throws PERSISTENCE_ERROR / INVALID_NAME, saying what is wrong with the name. */
export function parseCollectionName(text: unknown): CollectionName {
  const wrong =
    nameProblem(text, COLLECTION_NAME_BYTES_MAX) ??
    (CONTROL.test(text as string) ? 'holds control characters' : undefined);
  if (wrong) throw invalidName('collection name', text, wrong, COLLECTION_NAME_BYTES_MAX);
  return text as CollectionName;
}

/** Throws PERSISTENCE_ERROR / INVALID_NAME, saying what is wrong with the key. */
export function parseDocumentKey(text: unknown): DocumentKey {
  const wrong = nameProblem(text, DOCUMENT_KEY_BYTES_MAX);
  if (wrong) throw invalidName('document key', text, wrong, DOCUMENT_KEY_BYTES_MAX);
  return text as DocumentKey;
}

function nameProblem(text: unknown, bytesMax: number): string | undefined {
  if (typeof text !== 'string') return `is ${text === null ? 'null' : typeof text}, not a string`;
  if (text.length === 0) return 'is empty';
  // UTF-8 needs at most three bytes per UTF-16 unit, so only long texts need counting.
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax) return 'is too long';
  return text.isWellFormed() ? undefined : 'holds half of a surrogate pair';
}

function invalidName(what: string, text: unknown, wrong: string, bytesMax: number): PersistenceError {
  const shown = typeof text === 'string' ? JSON.stringify(text.slice(0, 40)) : String(text);
  return new PersistenceError('INVALID_NAME', `the ${what} ${shown} ${wrong}; use 1 to ${bytesMax} bytes of UTF-8`);
}
