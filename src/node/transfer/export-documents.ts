import type { Collection } from '../../database/index.ts';

/** Characters that are gathered before they are handed on: fewer, larger writes. */
const CHUNK_CHARS = 64 * 1024;

/** A collection as NDJSON, `{"key":"user1","value":{…}}` a line, in chunks of whole lines. A signal ends it. */
export async function* exportDocuments(
  collection: Pick<Collection, 'entries'>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (exported: number) => void } = {},
): AsyncGenerator<string> {
  let chunk = '';
  let exported = 0;
  for await (const [key, value] of collection.entries(options.signal === undefined ? {} : { signal: options.signal })) {
    chunk += `${JSON.stringify({ key, value })}\n`;
    exported++;
    if (chunk.length < CHUNK_CHARS) continue;
    yield chunk;
    chunk = '';
    options.onProgress?.(exported);
  }
  if (chunk !== '') yield chunk;
  options.onProgress?.(exported);
}
