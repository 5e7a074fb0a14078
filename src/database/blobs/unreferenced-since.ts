import type { BlobsHost } from './blobs-host.ts';

/** How many unreferenced blobs are remembered; the others have to wait until these are deleted. */
const BLOBS_MAX = 10_000;

/** The only entry of the side table `blobs`. */
const ENTRY = { space: 'blobs', id: 1 } as const;

/** When a blob was first seen without a reference, and the change position of its manifest; undefined: from an earlier release. */
type Seen = readonly [livedMs: number, pos?: number];

/** Since when this node has seen each blob without a reference. A blob that is referred to or put again starts over. */
export class UnreferencedSince {
  readonly #host: BlobsHost;
  readonly #before: ReadonlyMap<string, Seen>;
  readonly #now = new Map<string, Seen>();

  private constructor(host: BlobsHost, before: ReadonlyMap<string, Seen>) {
    this.#host = host;
    this.#before = before;
  }

  static read(host: BlobsHost): UnreferencedSince {
    const [entry] = host.replica.store.entries(ENTRY.space, 0, 1);
    const rows: [id: string, ...seen: Seen][] = entry === undefined ? [] : JSON.parse(entry.data);
    return new UnreferencedSince(host, new Map(rows.map(([id, ...seen]) => [id, seen])));
  }

  /**
   * Notes that a blob has no reference now. Returns since when it has none, in ms of the time that the database was in use. `pos` is the
   * change position of its manifest, which tells, whatever the clocks say, that somebody has put it again.
   */
  see(id: string, livedMs: number, pos: number): number {
    const [sinceMs, seenPos = pos] = this.#before.get(id) ?? [livedMs];
    // A later value than now is one of another clock; the grace period starts now.
    const since = seenPos === pos ? Math.min(sinceMs, livedMs) : livedMs;
    if (this.#now.size < BLOBS_MAX) this.#now.set(id, [since, pos]);
    return since;
  }

  /** Saves the blobs seen in this run, and forgets all others. */
  write(): void {
    const rows = Array.from(this.#now, ([id, seen]) => [id, ...seen]);
    const data = rows.length === 0 ? null : JSON.stringify(rows);
    this.#host.replica.commitEntries((draft) => draft.entry({ ...ENTRY, data }));
  }
}
