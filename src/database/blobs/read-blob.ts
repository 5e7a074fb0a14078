import { PersistenceError } from '../../core/errors/index.ts';
import { BLOBS_COLLECTION, type DocumentKey } from '../../core/ids/index.ts';
import type { BlobPresence, GetBlobOptions } from './blob-api.ts';
import {
  type BlobManifest,
  blobKey,
  chunkFromText,
  chunkKey,
  corrupt,
  createBlobHash,
  listFromText,
  listKey,
  manifestFromText,
  type Part,
} from './blob-documents.ts';
import type { BlobsHost } from './blobs-host.ts';

/** Chunks read in one turn of the event loop. */
const TURN_CHUNKS = 2;

type ReadHost = Pick<BlobsHost, 'read' | 'replica' | 'commitPending'>;

/** The bytes of a blob in order, chunk by chunk; see `Blobs.get`. */
export async function* readBlob(
  host: ReadHost & Pick<BlobsHost, 'turn'>,
  id: string,
  options: GetBlobOptions,
): AsyncGenerator<Uint8Array> {
  const manifest = requireManifest(host, id);
  const { signal } = options;
  const [start, end] = rangeOf(manifest.size, options);
  const whole = start === 0 && end === manifest.size ? createBlobHash() : undefined;
  let at = 0;
  let read = 0;
  for (const part of partsOf(host, id, manifest, start, end)) {
    const from = at;
    at += part.bytes;
    if (part.kind === 'skipped' || at <= start || from >= end) continue;
    signal?.throwIfAborted();
    const text = textOf(host, chunkKey(part.hash));
    if (text === undefined) throw incomplete(host, id, manifest);
    const chunk = chunkFromText(text, part.hash);
    if (chunk.length !== part.bytes) throw corrupt(blobKey(id));
    whole?.update(chunk);
    if (++read % TURN_CHUNKS === 0) await host.turn();
    yield chunk.subarray(Math.max(0, start - from), Math.min(chunk.length, end - from));
  }
  if (whole !== undefined && whole.digest() !== id) throw corrupt(blobKey(id));
}

/** The chunks in order; a list that is outside the range is one part, marked as skipped. */
function* partsOf(
  host: ReadHost,
  id: string,
  manifest: BlobManifest,
  start: number,
  end: number,
): Generator<Part & { readonly kind: 'chunk' | 'skipped' }> {
  let at = 0;
  for (const part of manifest.parts) {
    const isWanted = at + part.bytes > start && at < end;
    at += part.bytes;
    if (manifest.kind === 'chunks') yield { ...part, kind: 'chunk' };
    else if (!isWanted) yield { ...part, kind: 'skipped' };
    else {
      const text = textOf(host, listKey(part.hash));
      if (text === undefined) throw incomplete(host, id, manifest);
      for (const chunk of listFromText(text, part.hash)) yield { ...chunk, kind: 'chunk' };
    }
  }
}

/** How much of a blob this node holds. Reads its lists, not its chunks. */
export function blobPresence(host: ReadHost, id: string): BlobPresence {
  const manifest = readManifest(host, id);
  if (manifest === undefined) return { bytes: 0, size: null, isComplete: false };
  const bytes = presentBytes(host, manifest);
  return { bytes, size: manifest.size, isComplete: bytes === manifest.size };
}

export function readManifest(host: ReadHost, id: string): BlobManifest | undefined {
  const text = textOf(host, blobKey(id));
  return text === undefined ? undefined : manifestFromText(text, id);
}

/**
 * The chunk lists of a blob. A manifest of chunks is one list without a hash. `chunks` is undefined if this node does not
 * hold that list.
 */
export function* chunkLists(
  host: ReadHost,
  { kind, parts }: BlobManifest,
): Generator<{ readonly list: string | undefined; readonly chunks: readonly Part[] | undefined }> {
  if (kind === 'chunks') yield { list: undefined, chunks: parts };
  else
    for (const { hash } of parts) {
      const text = textOf(host, listKey(hash));
      yield { list: hash, chunks: text === undefined ? undefined : listFromText(text, hash) };
    }
}

function presentBytes(host: ReadHost, manifest: BlobManifest): number {
  let present = 0;
  for (const { chunks } of chunkLists(host, manifest)) {
    if (chunks === undefined) continue;
    host.commitPending();
    const keys = chunks.map(({ hash }) => chunkKey(hash));
    const unseen = host.replica.store.unseen(BLOBS_COLLECTION, keys);
    for (const [i, { bytes }] of chunks.entries()) if (!unseen.has(keys[i]!)) present += bytes;
  }
  return present;
}

function textOf(host: ReadHost, key: DocumentKey): string | undefined {
  return host.read(BLOBS_COLLECTION, key)?.value ?? undefined;
}

function requireManifest(host: ReadHost, id: string): BlobManifest {
  const manifest = readManifest(host, id);
  if (manifest !== undefined) return manifest;
  throw new PersistenceError(
    'BLOB_NOT_FOUND',
    `there is no blob ${id} on this node; it was never here, was collected, or has not arrived yet`,
    { details: { blob: id } },
  );
}

function rangeOf(size: number, { start = 0, end = size }: GetBlobOptions): [start: number, end: number] {
  const isPlace = (at: number): boolean => Number.isSafeInteger(at) && at >= 0 && at <= size;
  if (!isPlace(start) || !isPlace(end) || start > end)
    throw new RangeError(`bytes ${start} to ${end} are not in a blob of ${size} bytes`);
  return [start, end];
}

function incomplete(host: ReadHost, id: string, manifest: BlobManifest): PersistenceError {
  const missingBytes = manifest.size - presentBytes(host, manifest);
  return new PersistenceError(
    'BLOB_INCOMPLETE',
    `${missingBytes} of ${manifest.size} bytes of blob ${id} are not on this node yet; read it again when they have arrived`,
    { details: { blob: id, size: manifest.size, missingBytes } },
  );
}
