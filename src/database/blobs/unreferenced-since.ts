import type { BlobsHost } from './blobs-host.ts';

/** Unreferenced blobs that are remembered; further ones are when these are gone. */
const BLOBS_MAX = 10_000;

/** The only entry of the side table `blobs`. */
const ENTRY = { space: 'blobs', id: 1 } as const;

/** Since when this node has seen which blob without a reference; one that is referred to again starts anew. */
export class UnreferencedSince {
  readonly #host: BlobsHost;
  readonly #before: ReadonlyMap<string, number>;
  readonly #now = new Map<string, number>();

  private constructor(host: BlobsHost, before: ReadonlyMap<string, number>) {
    this.#host = host;
    this.#before = before;
  }

  static read(host: BlobsHost): UnreferencedSince {
    const [entry] = host.replica.store.entries(ENTRY.space, 0, 1);
    return new UnreferencedSince(host, new Map(entry === undefined ? [] : JSON.parse(entry.data)));
  }

  /** The blob has no reference now: since when, as far as this node knows, ms of the time in use. */
  see(id: string, livedMs: number): number {
    // What was noted by another clock must not make anything look older than it is.
    const since = Math.min(this.#before.get(id) ?? livedMs, livedMs);
    if (this.#now.size < BLOBS_MAX) this.#now.set(id, since);
    return since;
  }

  /** What was not seen is forgotten. */
  write(): void {
    const data = this.#now.size === 0 ? null : JSON.stringify([...this.#now]);
    this.#host.replica.commitEntries((draft) => draft.entry({ ...ENTRY, data }));
  }
}
