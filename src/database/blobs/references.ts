/** A reference in a JSON text, also in one that is itself a text in JSON, as side tables keep documents. */
const REFERENCE = /\$blob\\*"\s*:\s*\\*"([0-9a-f]{64})/g;

/** Ids of the blobs that a JSON text refers to, at any depth. One too many only keeps a blob. */
export function* blobIdsIn(text: string | null): Generator<string> {
  if (text === null || !text.includes('$blob')) return;
  for (const [, id] of text.matchAll(REFERENCE)) yield id!;
}
