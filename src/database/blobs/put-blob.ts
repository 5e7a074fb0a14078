import { types } from 'node:util';
import { abortable, abortableItems, hlcToMs } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import { BLOBS_COLLECTION, type DocumentKey } from '../../core/ids/index.ts';
import type { BlobSource, PutBlobOptions } from './blob-api.ts';
import {
  blobKey,
  chunkKey,
  chunkToText,
  createBlobHash,
  hashOf,
  LIST_CHUNKS_MAX,
  listKey,
  listToText,
  manifestToText,
  type Part,
} from './blob-documents.ts';
import type { BlobsHost } from './blobs-host.ts';
import { CHUNK_BYTES_MAX, Chunker } from './chunker.ts';
import type { Pins } from './pins.ts';

/** Chunks processed in one turn of the event loop. */
const TURN_CHUNKS = 2;

/** Size of the largest chunk as JSON text: base64 and the member around it. */
const CHUNK_TEXT_BYTES_MAX = Math.ceil(CHUNK_BYTES_MAX / 3) * 4 + 100;

/** One put of a blob. It writes chunks and lists, and the manifest after all of these are durable. */
export class BlobPut {
  readonly #host: BlobsHost;
  readonly #pins: Pins;
  readonly #options: PutBlobOptions;
  readonly #whole = createBlobHash();
  #parts: Part[] = [];
  readonly #lists: Part[] = [];
  #size = 0;
  readonly #waiting = new Set<Promise<unknown>>();
  #waitingBytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(host: BlobsHost, pins: Pins, options: PutBlobOptions) {
    if (host.limits.documentBytesMax < CHUNK_TEXT_BYTES_MAX) throw chunksTooLarge(host.limits.documentBytesMax);
    this.#host = host;
    this.#pins = pins;
    this.#options = options;
  }

  /** Resolves with id and size. */
  async run(source: BlobSource): Promise<{ readonly id: string; readonly size: number }> {
    const { signal } = this.#options;
    const chunker = new Chunker();
    for await (const piece of abortableItems(piecesOf(source), signal)) {
      signal?.throwIfAborted();
      // `instanceof` would fail for an array of another realm, as test runners pass.
      if (!types.isUint8Array(piece))
        throw new TypeError(
          `a piece of a blob's source is of type ${typeof piece}, not a Uint8Array; encode texts first`,
        );
      for (const chunk of chunker.push(piece)) await this.#chunk(chunk);
    }
    const last = chunker.end();
    if (last !== undefined) await this.#chunk(last);
    signal?.throwIfAborted();
    return this.#finish();
  }

  async #chunk(chunk: Buffer): Promise<void> {
    this.#whole.update(chunk);
    const part: Part = { hash: hashOf(chunk), bytes: chunk.length };
    this.#ensure(chunkKey(part.hash), () => chunkToText(chunk));
    this.#parts.push(part);
    this.#size += chunk.length;
    if (this.#parts.length >= LIST_CHUNKS_MAX) this.#list();
    while (this.#waitingBytes > this.#host.limits.blobPutBytes)
      await abortable(Promise.race(this.#waiting), this.#options.signal);
    this.#throwFailure();
    // A source in memory never waits, so this is where other work gets its turn.
    if (this.#parts.length % TURN_CHUNKS === 0) await this.#host.turn();
    this.#options.onProgress?.(this.#size);
  }

  #list(): void {
    const text = listToText(this.#parts);
    const bytes = this.#parts.reduce((sum, part) => sum + part.bytes, 0);
    const list: Part = { hash: hashOf(text), bytes };
    this.#ensure(listKey(list.hash), () => text);
    this.#lists.push(list);
    this.#parts = [];
  }

  async #finish(): Promise<{ readonly id: string; readonly size: number }> {
    const isLarge = this.#lists.length > 0;
    if (isLarge && this.#parts.length > 0) this.#list();
    await abortable(Promise.all(this.#waiting), this.#options.signal);
    this.#throwFailure();
    const id = this.#whole.digest();
    const parts = isLarge ? this.#lists : this.#parts;
    this.#ensure(blobKey(id), () => manifestToText({ size: this.#size, kind: isLarge ? 'lists' : 'chunks', parts }));
    await Promise.all(this.#waiting);
    this.#throwFailure();
    return { id, size: this.#size };
  }

  /** Writes a document unless it exists and is young: another node could be about to collect an older one. */
  #ensure(key: DocumentKey, text: () => string): void {
    this.#pins.add(key);
    if (this.#isYoung(key)) {
      // Another put may have written it a moment ago, and a failed sync would take it back.
      this.#await(this.#host.replica.flush(), 0);
      return;
    }
    const value = text();
    const write = { collection: BLOBS_COLLECTION, key, value, ifVersion: undefined };
    this.#await(this.#host.write(BLOBS_COLLECTION, [write]), value.length);
  }

  #await(durable: Promise<unknown>, bytes: number): void {
    this.#waitingBytes += bytes;
    const waiting = durable
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#waitingBytes -= bytes;
        this.#waiting.delete(waiting);
      });
    this.#waiting.add(waiting);
  }

  #isYoung(key: DocumentKey): boolean {
    this.#host.commitPending();
    if (this.#host.replica.store.unseen(BLOBS_COLLECTION, [key]).has(key)) return false;
    const row = this.#host.read(BLOBS_COLLECTION, key);
    if (row === undefined || row.value === null) return false;
    const newest = hlcToMs(row.versions.at(-1)!.hlc);
    return this.#host.clock.now() - newest < TIMES.blobRenewMs;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function piecesOf(source: BlobSource): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (types.isUint8Array(source)) return [source];
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (isIterable) return source;
  throw new TypeError(
    "the source of a blob is a Uint8Array, or an iterable or stream of them; encode a text first, and take a Blob's stream()",
  );
}

function chunksTooLarge(documentBytesMax: number): PersistenceError {
  return new PersistenceError(
    'DOCUMENT_TOO_LARGE',
    `Limits.documentBytesMax is ${documentBytesMax}, and a chunk of a blob has up to ${CHUNK_TEXT_BYTES_MAX} bytes as a document; raise it on all nodes`,
    { details: { documentBytesMax, needed: CHUNK_TEXT_BYTES_MAX } },
  );
}
