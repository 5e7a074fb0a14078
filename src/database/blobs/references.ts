/** A reference in a JSON text, or in a JSON text within a JSON string: side tables keep documents like that. */
const REFERENCE = /\$blob\\*"\s*:\s*\\*"([0-9a-f]{64})/g;

/** The ids of the blobs that a JSON text refers to, at any depth. A false match only keeps a blob. */
export function* blobIdsIn(text: string | null): Generator<string> {
  if (text === null || !text.includes('$blob')) return;
  for (const [, id] of text.matchAll(REFERENCE)) yield id!;
}
