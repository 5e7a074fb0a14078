import { invalidFilter } from './invalid-filter.ts';
import type { JsonValue } from './json.ts';
import { isJsonArray, readPath } from './path.ts';
import type { SortField, SortPlace } from './query.ts';

/** Longer tokens are not decoded. A key has at most 1 KiB, a document's fields at most `documentBytesMax` together. */
const TOKEN_CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * A token for the end of a page: base64url of the JSON `[sort, values, key]`. It names a place in the sort order rather than
 * a document, so it stays valid when documents change or are deleted.
 */
export function pageToken(sort: readonly SortField[], key: string, value: JsonValue): string {
  const values = sort.map(({ path }) => {
    const found = readPath(value, path);
    if (found === undefined) return [];
    // Arrays and objects are equal to each other in the sort order, so any one of them will do.
    return [typeof found === 'object' && found !== null ? {} : found];
  });
  return Buffer.from(JSON.stringify([sortText(sort), values, key])).toString('base64url');
}

/** Throws INVALID_FILTER for anything that is not a token, or a token of another sort. */
export function parsePageToken(token: unknown, sort: readonly SortField[]): SortPlace {
  const parts = typeof token === 'string' && token.length <= TOKEN_CHARACTERS_MAX ? decode(token) : undefined;
  if (!Array.isArray(parts) || parts.length !== 3 || typeof parts[2] !== 'string' || !Array.isArray(parts[1])) {
    throw invalidFilter("the query's after is no token of an earlier page", { option: 'after' });
  }
  const [text, values, key] = parts as [unknown, unknown[], string];
  if (text !== sortText(sort) || values.length !== sort.length || !values.every(Array.isArray)) {
    throw invalidFilter("the query's after belongs to a page with another sort", { option: 'after' });
  }
  return { values: (values as JsonValue[][]).map(([value]) => value), key };
}

function sortText(sort: readonly SortField[]): string {
  return JSON.stringify(sort.map(({ path, descending }) => [descending ? -1 : 1, ...path]));
}

function decode(token: string): JsonValue | undefined {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64url').toString()) as JsonValue;
    return typeof parsed === 'object' && parsed !== null && isJsonArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
