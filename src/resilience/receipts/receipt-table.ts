import type { CollectionName, ReplicaId } from '../../core/ids/index.ts';
import { allEntries } from '../../store/index.ts';
import type { EntryKeeper } from '../entry-keeper.ts';

/** For each own replica id, present or former, the seq up to which its writes are held. */
export type ConfirmedPoints = ReadonlyMap<ReplicaId, number>;

/** A peer, by its device key, and what it has said that it holds. */
export interface PeerReceipts {
  readonly peer: string;
  /** Human name, as last heard. */
  readonly node: string;
  /** Its life. Another life may have lost what this one held. */
  readonly replica: ReplicaId;
  /** Wall clock, ms. */
  readonly heardAt: number;
  readonly points: ReadonlyMap<CollectionName, ConfirmedPoints>;
}

/** The point of a former id of which the peer holds all writes that are here, also those that no knowledge covers. */
const EVERYTHING = Number.MAX_SAFE_INTEGER;

export interface ReceiptTableOptions {
  readonly keeper: EntryKeeper;
  /** Most entries, one per peer and collection. Beyond that, the peer unheard for longest is forgotten. */
  readonly receiptsMax: number;
  /** Most peers. Beyond that, the one unheard for longest is forgotten. */
  readonly peersMax: number;
}

interface Row {
  readonly id: number;
  /** As far as the peer claimed. */
  readonly points: Map<ReplicaId, number>;
  /** Former ids of which it was found to hold everything that is here. */
  readonly whole: Set<ReplicaId>;
}

interface KeptPeer {
  node: string;
  replica: ReplicaId;
  heardAt: number;
  readonly rows: Map<CollectionName, Row>;
}

interface StoredRow {
  readonly peer: string;
  readonly node: string;
  readonly replica: ReplicaId;
  readonly heardAt: number;
  readonly collection: CollectionName;
  readonly points: readonly (readonly [ReplicaId, number])[];
  /** Absent in rows of earlier builds, in which such an id has the point `EVERYTHING`. */
  readonly whole?: readonly ReplicaId[];
}

/**
 * The side table `receipts`: what each peer itself has confirmed. Memory is ahead of the disk until `write`. After a crash the
 * table may know less, never more, and hears it again when the peer connects.
 */
export class ReceiptTable {
  readonly #options: ReceiptTableOptions;
  readonly #peers = new Map<string, KeptPeer>();
  readonly #dirty = new Set<Row>();
  readonly #removed = new Set<number>();
  #rows = 0;
  #newestId = 0;

  constructor(options: ReceiptTableOptions) {
    this.#options = options;
    this.#read();
    options.keeper.onReload(() => this.#markAll());
  }

  get isDirty(): boolean {
    return this.#dirty.size + this.#removed.size > 0;
  }

  /** Whether something was forgotten that is still on the disk. */
  get isLess(): boolean {
    return this.#removed.size > 0;
  }

  *peers(): Generator<PeerReceipts> {
    for (const [peer, { node, replica, heardAt, rows }] of this.#peers)
      yield { peer, node, replica, heardAt, points: new Map([...rows].map(([name, row]) => [name, pointsIn(row)])) };
  }

  /** What each peer confirmed of one collection. */
  *pointsOf(collection: CollectionName): Generator<readonly [peer: string, ConfirmedPoints]> {
    for (const [peer, { rows }] of this.#peers) {
      const row = rows.get(collection);
      if (row !== undefined) yield [peer, pointsIn(row)];
    }
  }

  /** Human name of the peer with this replica id. */
  nodeOf(replica: ReplicaId): string | null {
    for (const kept of this.#peers.values()) if (kept.replica === replica) return kept.node;
    return null;
  }

  /** A session with the peer began. A peer in a new life is known to hold nothing until it says so again. */
  met(peer: string, node: string, replica: ReplicaId, nowMs: number): void {
    const kept = this.#peers.get(peer);
    if (kept !== undefined && kept.replica !== replica) this.#forget(peer, kept);
    const known = this.#peers.get(peer);
    if (known === undefined) {
      if (this.#peers.size >= this.#options.peersMax) this.#forgetOldest(peer);
      this.#peers.set(peer, { node, replica, heardAt: nowMs, rows: new Map() });
      return;
    }
    known.node = node;
    known.heardAt = nowMs;
  }

  /** Forgets peers that had this human name, except these. */
  forgetNamesakes(node: string, isKept: (peer: string) => boolean): void {
    for (const [peer, kept] of [...this.#peers]) if (kept.node === node && !isKept(peer)) this.#forget(peer, kept);
  }

  /** Records what a peer confirmed. The newest statement counts, even if it is less than an earlier one. */
  confirm(peer: string, collection: CollectionName, own: ReplicaId, seq: number, nowMs: number): void {
    const kept = this.#peers.get(peer);
    if (kept === undefined) return;
    kept.heardAt = nowMs;
    const held = kept.rows.get(collection);
    if ((held?.points.get(own) ?? 0) === seq) return;
    const row = held ?? this.#add(peer, kept, collection);
    row.points.set(own, seq);
    this.#dirty.add(row);
  }

  /** Records that a peer holds everything that is here of a former id, until more of it arrives. */
  confirmWhole(peer: string, collection: CollectionName, own: ReplicaId): void {
    const kept = this.#peers.get(peer);
    if (kept === undefined) return;
    const row = kept.rows.get(collection) ?? this.#add(peer, kept, collection);
    row.whole.add(own);
    this.#dirty.add(row);
  }

  /** A write of a former id arrived that was not here when peers were found to hold everything: only their claims count again. */
  arrived(collection: CollectionName, own: ReplicaId): void {
    for (const { rows } of this.#peers.values()) {
      const row = rows.get(collection);
      if (row?.whole.delete(own)) this.#dirty.add(row);
    }
  }

  /** Removes points under ids other than these. */
  keepOnly(ids: ReadonlySet<ReplicaId>): void {
    for (const { rows } of this.#peers.values())
      for (const row of rows.values())
        for (const id of [...row.points.keys(), ...row.whole])
          if (!ids.has(id)) {
            row.points.delete(id);
            row.whole.delete(id);
            this.#dirty.add(row);
          }
  }

  /** Writes changes in one commit, durable with the next flush. */
  write(): void {
    if (!this.isDirty) return;
    this.#options.keeper.commitEntries((draft) => {
      for (const id of this.#removed) draft.entry({ space: 'receipts', id, data: null });
      for (const [peer, kept] of this.#peers)
        for (const [collection, row] of kept.rows)
          if (this.#dirty.has(row))
            draft.entry({ space: 'receipts', id: row.id, data: JSON.stringify(toStored(peer, kept, collection, row)) });
    });
    this.#dirty.clear();
    this.#removed.clear();
  }

  #add(peer: string, kept: KeptPeer, collection: CollectionName): Row {
    while (this.#rows >= this.#options.receiptsMax && this.#forgetOldest(peer));
    const row: Row = { id: ++this.#newestId, points: new Map(), whole: new Set() };
    kept.rows.set(collection, row);
    this.#rows++;
    return row;
  }

  /** Forgets the peer unheard for longest; false if only `exceptPeer` is left. */
  #forgetOldest(exceptPeer: string): boolean {
    let oldest: [string, KeptPeer] | undefined;
    for (const [peer, kept] of this.#peers)
      if (peer !== exceptPeer && (oldest === undefined || kept.heardAt < oldest[1].heardAt)) oldest = [peer, kept];
    if (oldest === undefined) return false;
    this.#forget(...oldest);
    return true;
  }

  #forget(peer: string, { rows }: KeptPeer): void {
    for (const row of rows.values()) {
      this.#removed.add(row.id);
      this.#dirty.delete(row);
    }
    this.#rows -= rows.size;
    this.#peers.delete(peer);
  }

  #read(): void {
    for (const { id, data } of allEntries(this.#options.keeper.store, 'receipts'))
      this.#adopt(id, JSON.parse(data) as StoredRow);
  }

  #adopt(id: number, { peer, node, replica, heardAt, collection, points, whole }: StoredRow): void {
    this.#newestId = id;
    const kept = this.#peers.get(peer) ?? { node, replica, heardAt, rows: new Map<CollectionName, Row>() };
    // All rows of an earlier life are removed when a peer has a new one, so the rows of one peer belong to one life.
    this.#peers.set(peer, kept);
    kept.heardAt = Math.max(kept.heardAt, heardAt);
    const former = points.flatMap(([own, seq]) => (seq === EVERYTHING ? [own] : []));
    const claimed = points.filter(([, seq]) => seq !== EVERYTHING);
    kept.rows.set(collection, { id, points: new Map(claimed), whole: new Set(whole ?? former) });
    this.#rows++;
  }

  /** Commits were lost, so everything is written again. */
  #markAll(): void {
    for (const { rows } of this.#peers.values()) for (const row of rows.values()) this.#dirty.add(row);
  }
}

function toStored(peer: string, kept: KeptPeer, collection: CollectionName, row: Row): StoredRow {
  const { node, replica, heardAt } = kept;
  return { peer, node, replica, heardAt, collection, points: [...row.points], whole: [...row.whole] };
}

function pointsIn({ points, whole }: Row): ConfirmedPoints {
  return whole.size === 0 ? points : new Map([...points, ...[...whole].map((own) => [own, EVERYTHING] as const)]);
}
