import type { CollectionName } from '../core/ids/index.ts';
import type { OutStream } from './out-stream.ts';

/**
 * The streams of one session. There may be ten thousand of them, of which nearly all are live and have nothing to say: what
 * has to be done is found without looking at each.
 */
export class OutStreams {
  readonly #byCollection = new Map<CollectionName, OutStream>();
  /** Those that may have work of their own; what has none any more is left out when it is met. */
  readonly #working = new Set<OutStream>();
  /** Every live stream has passed this position; undefined: not known. */
  #passedPos: number | undefined;

  get(collection: CollectionName): OutStream | undefined {
    return this.#byCollection.get(collection);
  }

  has(collection: CollectionName): boolean {
    return this.#byCollection.has(collection);
  }

  all(): Iterable<OutStream> {
    return this.#byCollection.values();
  }

  /** Takes the place of the one before. */
  set(stream: OutStream): void {
    const before = this.#byCollection.get(stream.collection);
    if (before !== undefined) this.#working.delete(before);
    this.#byCollection.set(stream.collection, stream);
    this.hasWork(stream);
  }

  /** It has something to send, an open round, or a comparison; or it is live again. */
  hasWork(stream: OutStream): void {
    this.#working.add(stream);
    if (this.#passedPos !== undefined && stream.pos < this.#passedPos) this.#passedPos = undefined;
  }

  /** Streams with a round, a delta or a comparison. */
  *working(): Generator<OutStream> {
    for (const stream of this.#working)
      if (stream.isWorking) yield stream;
      else this.#working.delete(stream);
  }

  /** Live streams that have not passed this position, the newest. */
  behind(pos: number): OutStream[] {
    if (this.#passedPos === pos) return [];
    const found: OutStream[] = [];
    for (const stream of this.#byCollection.values())
      if (stream.phase === 'live' && stream.pos < pos) found.push(stream);
    this.#passedPos = found.length === 0 ? pos : undefined;
    return found;
  }
}
