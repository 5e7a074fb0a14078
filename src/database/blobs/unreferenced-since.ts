import type { BlobsHost } from './blobs-host.ts';

/** How many unreferenced blobs are remembered; the others have to wait until these are deleted. */
const BLOBS_MAX = 10_000;

/** The only entry of the side table `blobs`. */
const ENTRY = { space: 'blobs', id: 1 } as const;

/** Since when this node has seen each blob without a reference. A blob that is referred to again starts over. */
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

  /** Notes that a blob has no reference now. Returns since when it has none, in ms of the time that the database was in use. */
  see(id: string, livedMs: number): number {
    // A later value than now is one of another clock; the grace period starts now.
    const since = Math.min(this.#before.get(id) ?? livedMs, livedMs);
    if (this.#now.size < BLOBS_MAX) this.#now.set(id, since);
    return since;
  }

  /** Saves the blobs seen in this run, and forgets all others. */
  write(): void {
    const data = this.#now.size === 0 ? null : JSON.stringify([...this.#now]);
    this.#host.replica.commitEntries((draft) => draft.entry({ ...ENTRY, data }));
  }
}
