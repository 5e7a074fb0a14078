import { abortable, type Clock } from '../../core/clock/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import { BLOBS_COLLECTION } from '../../core/ids/index.ts';
import { guardMethods, type OptionNames, rejecting, throwing } from '../../core/options/index.ts';
import type { WaitOptions } from '../document-api.ts';
import { WAIT } from '../option-names.ts';
import type {
  BlobContent,
  BlobInfo,
  BlobPresence,
  BlobRef,
  BlobSource,
  Blobs,
  CollectBlobsOptions,
  CollectedBlobs,
  GetBlobOptions,
  ListBlobsOptions,
  PutBlobOptions,
} from './blob-api.ts';
import type { BlobsHost } from './blobs-host.ts';
import { BlobCollection, graceOf } from './collect-blobs.ts';
import { listBlobs } from './list-blobs.ts';
import { paced } from './paced.ts';
import { Pins } from './pins.ts';
import { BlobPut } from './put-blob.ts';
import { blobPresence, readBlob } from './read-blob.ts';

const ID = /^[0-9a-f]{64}$/;
const DEFAULT_TYPE = 'application/octet-stream';
/** Longer media types are not used in practice. */
const TYPE_CHARACTERS_MAX = 255;

export interface SlowCollection {
  readonly olderThanMs: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

interface RunningCollection {
  readonly result: Promise<CollectedBlobs>;
  readonly olderThanMs: number;
  /** Of the call that began it. */
  readonly signal: AbortSignal | undefined;
}

/** The blobs of one database. */
export class LocalBlobs implements Blobs {
  readonly #host: BlobsHost;
  readonly #pins = new Pins();
  #collecting: RunningCollection | undefined;
  #slow: AbortController | undefined;

  constructor(host: BlobsHost) {
    this.#host = host;
  }

  async put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobRef> {
    const { type = DEFAULT_TYPE, signal } = options;
    if (typeof type !== 'string' || type.length > TYPE_CHARACTERS_MAX || !type.isWellFormed())
      throw new TypeError(`the type of a blob is a text of at most ${TYPE_CHARACTERS_MAX} characters`);
    signal?.throwIfAborted();
    const { id, size } = await this.#pins.during(() => new BlobPut(this.#host, this.#pins, options).run(source));
    return { $blob: id, size, type };
  }

  get(ref: Pick<BlobRef, '$blob'>, options: GetBlobOptions = {}): BlobContent {
    const id = parseId(ref?.$blob);
    const read = (): AsyncGenerator<Uint8Array> => readBlob(this.#host, id, options);
    return {
      [Symbol.asyncIterator]: read,
      stream: () => ReadableStream.from(read()) as ReadableStream<Uint8Array>,
      bytes: async () => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of read()) chunks.push(chunk);
        return new Uint8Array(Buffer.concat(chunks));
      },
    };
  }

  async has(ref: Pick<BlobRef, '$blob'>, options: WaitOptions = {}): Promise<boolean> {
    return (await this.presence(ref, options)).isComplete;
  }

  async presence(ref: Pick<BlobRef, '$blob'>, { signal }: WaitOptions = {}): Promise<BlobPresence> {
    signal?.throwIfAborted();
    return blobPresence(this.#host, parseId(ref?.$blob));
  }

  list(options: ListBlobsOptions = {}): AsyncIterable<BlobInfo> {
    if (options.after !== undefined) parseId(options.after);
    return listBlobs(this.#host, options);
  }

  async collect(options: CollectBlobsOptions = {}): Promise<CollectedBlobs> {
    const { signal } = options;
    const olderThanMs = graceOf(options);
    signal?.throwIfAborted();
    this.#slow?.abort();
    const running = this.#collecting;
    if (running === undefined) return this.#collect({ ...options, olderThanMs });
    // One runs at a time. A call for the same grace during it gets the same result, unless the signal of the first call stops it.
    const isSame = running.olderThanMs === olderThanMs;
    try {
      const result = await abortable(running.result, signal);
      if (isSame) return result;
    } catch (error) {
      if (signal?.aborted || (isSame && !running.signal?.aborted)) throw error;
    }
    return this.collect(options);
  }

  #collect(options: CollectBlobsOptions & { readonly olderThanMs: number }): Promise<CollectedBlobs> {
    const { signal, olderThanMs } = options;
    const result = this.#pins
      .during(() => new BlobCollection(this.#host, this.#pins, options).run())
      .finally(() => {
        this.#collecting = undefined;
      });
    this.#collecting = { result, olderThanMs, signal };
    return abortable(result, signal);
  }

  /** Collects in the background, pausing most of the time. Resolves with undefined if a `collect` runs or interrupts it. */
  async collectSlowly({ clock, ...options }: SlowCollection): Promise<CollectedBlobs | undefined> {
    if (this.#collecting !== undefined || this.#host.replica.collection(BLOBS_COLLECTION).documents === 0)
      return undefined;
    const slow = new AbortController();
    const signal = AbortSignal.any([slow.signal, options.signal]);
    this.#slow = slow;
    try {
      const rest = paced(clock, signal);
      return await this.#pins.during(() =>
        new BlobCollection(this.#host, this.#pins, { ...options, signal }, rest).run(),
      );
    } catch (error) {
      if (slow.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#slow = undefined;
    }
  }
}

function parseId(id: unknown): string {
  if (typeof id === 'string' && ID.test(id)) return id;
  const shown = typeof id === 'string' ? JSON.stringify(id.slice(0, 40)) : String(id);
  throw new PersistenceError(
    'BLOB_NOT_FOUND',
    `${shown} is no blob; \`$blob\` is 64 hex digits, as \`put\` returns it`,
  );
}

const PUT: OptionNames<PutBlobOptions> = { type: true, onProgress: true, ...WAIT };
const GET: OptionNames<GetBlobOptions> = { start: true, end: true, ...WAIT };
const LIST: OptionNames<ListBlobsOptions> = { after: true, ...WAIT };
const COLLECT: OptionNames<CollectBlobsOptions> = { olderThanMs: true, ...WAIT };

guardMethods(LocalBlobs.prototype, {
  put: rejecting(1, PUT),
  get: throwing(1, GET),
  has: rejecting(1, WAIT),
  presence: rejecting(1, WAIT),
  list: throwing(0, LIST),
  collect: rejecting(0, COLLECT),
});
