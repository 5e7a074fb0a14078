import type { CollectionName } from '../../core/ids/index.ts';
import type { OutStream } from './out-stream.ts';

/**
 * The streams of one session. There may be ten thousand, nearly all of them live with nothing to send, so this class finds work
 * without looking at each.
 */
export class OutStreams {
  readonly #byCollection = new Map<CollectionName, OutStream>();
  /** Streams that may have work of their own. One without work is removed when `working` meets it. */
  readonly #working = new Set<OutStream>();
  /** A position that every live stream has passed; undefined if unknown. */
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

  /** Adds a stream, in place of an earlier one of the same collection. */
  set(stream: OutStream): void {
    const before = this.#byCollection.get(stream.collection);
    if (before !== undefined) this.#working.delete(before);
    this.#byCollection.set(stream.collection, stream);
    this.hasWork(stream);
  }

  /** Call when a stream has something to send, an open round or a comparison, or is live again. */
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

  /** Live streams that have not passed `pos`, which must be the newest position. */
  behind(pos: number): OutStream[] {
    if (this.#passedPos === pos) return [];
    const found: OutStream[] = [];
    for (const stream of this.#byCollection.values())
      if (stream.phase === 'live' && stream.pos < pos) found.push(stream);
    this.#passedPos = found.length === 0 ? pos : undefined;
    return found;
  }
}
