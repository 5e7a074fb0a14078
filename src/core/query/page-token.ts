import { invalidFilter } from './invalid-filter.ts';
import type { JsonValue } from './json.ts';
import { isJsonArray, readPath } from './path.ts';
import type { SortField, SortPlace } from './query.ts';

/** Longer texts of a token are not read. A key has at most 1 KiB, a document's fields at most `documentBytesMax` together. */
const TOKEN_CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * Says where a page ended: base64url of JSON `[sort, values, key]`. It names a place in the order and no document, so it stays
 * good when documents change or go.
 */
export function pageToken(sort: readonly SortField[], key: string, value: JsonValue): string {
  const values = sort.map(({ path }) => {
    const found = readPath(value, path);
    if (found === undefined) return [];
    // Arrays and objects are equal to each other in the order.
    return [typeof found === 'object' && found !== null ? {} : found];
  });
  return Buffer.from(JSON.stringify([sortText(sort), values, key])).toString('base64url');
}

/** Throws INVALID_FILTER for what is no token, or one of another sort. */
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
