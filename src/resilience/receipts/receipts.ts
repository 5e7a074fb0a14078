import type { Clock } from '../../core/clock/index.ts';
import { type Limits, TIMES } from '../../core/config/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import {
  type CollectionName,
  type DocumentKey,
  parseCollectionName,
  parseDocumentKey,
  type ReplicaId,
} from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Dot } from '../../core/version/index.ts';
import type { CollectionState, CommitNotice, Replica } from '../../database/replica/index.ts';
import { allVersions } from '../../store/index.ts';
import { type ConfirmedPoints, ReceiptTable } from './receipt-table.ts';

export interface ReceiptsDeps {
  readonly replica: Replica;
  /** Human name of this node. */
  readonly node: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
  /** Makes accepted writes visible in the replica; throws DATABASE_CLOSED. */
  readonly commitPending: () => void;
}

/** Options of `replicated`. */
export interface ReplicatedOptions {
  /** How many distinct other nodes must hold the write. Default 1. */
  readonly peers?: number;
  /** Ends the waiting; the call rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** Writes of this node in one collection that are not known to be held. */
export interface PendingWrites {
  readonly collection: string;
  /**
   * How many documents hold such a write, counted up to 10,000 ("that many or more"); 1 if others have replaced all of them
   * meanwhile.
   */
  readonly writes: number;
}

/** Where counting ends: "this many or more". */
export const COUNTED_MAX = 10_000;
const PAGE_MAX = 500;
const NO_POINTS: ConfirmedPoints = new Map();

interface Waiter {
  readonly collection: CollectionName;
  readonly key: DocumentKey | undefined;
  readonly peers: number;
  /** What a peer must hold; recomputed when this node takes a new replica id. */
  dots: readonly Dot[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Which nodes hold what this node wrote. Only a peer's own statement counts, in a claim or at the opening of a round, which it
 * sends only after everything that it rests on is durable there. Neither hearsay nor what was sent to it counts. What a peer said
 * in one life does not count in the next. A node is a device key: two nodes with the same name are two.
 */
export class Receipts {
  readonly #deps: ReceiptsDeps;
  readonly #table: ReceiptTable;
  /** Peers with an open session. */
  readonly #present = new Set<string>();
  readonly #waiters = new Set<Waiter>();
  /**
   * Peers that were found to hold the same as this node, by the state of the collection in which they were. It counts no longer
   * once a session begins, maybe with another life of the peer, or this node takes another id.
   */
  #same = new WeakMap<CollectionState, Set<string>>();
  readonly #unsubscribe: (() => void)[];
  #ownId: ReplicaId;
  #formerIds: ReadonlySet<ReplicaId>;
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(deps: ReceiptsDeps) {
    this.#deps = deps;
    const { replica, node, limits } = deps;
    this.#ownId = replica.id;
    const { receiptsMax, peersMax } = limits;
    this.#table = new ReceiptTable({ keeper: replica, receiptsMax, peersMax });
    this.#table.keepOnly(new Set(replica.ownIds()));
    // In a backup of another node, this one was a peer.
    this.#table.forgetNamesakes(node, () => false);
    this.#formerIds = formerIdsOf(replica);
    this.#unsubscribe = [
      replica.onCommit((notice) => this.#committed(notice)),
      replica.onReload(() => this.#reloaded()),
    ];
  }

  /**
   * A session with a peer began. A restored node comes back with another device key: whoever had its name and is not here now may have
   * been that node, and holds nothing until it says so again.
   */
  met(peer: string, node: string, replica: ReplicaId): void {
    if (this.#isClosed) return;
    this.#present.add(peer);
    this.#same = new WeakMap();
    this.#table.forgetNamesakes(node, (other) => this.#present.has(other));
    this.#table.met(peer, node, replica, this.#deps.clock.now());
    // A crash may take what was confirmed, but not that it counts no more.
    if (this.#table.isLess) this.#write();
    else this.#writeSoon();
  }

  /** The last session with a peer ended. */
  left(peer: string): void {
    this.#present.delete(peer);
  }

  /** The peer said that it holds all writes of an own id up to `seq` in the collection. */
  confirmed(peer: string, collection: CollectionName, own: ReplicaId, seq: number): void {
    // The end of a link that another one has replaced may be told after the beginning of that one.
    this.#present.add(peer);
    if (this.#isClosed) return;
    this.#table.confirm(peer, collection, own, seq, this.#deps.clock.now());
    this.#changed(collection);
  }

  /**
   * The peer holds the same versions of the collection. Some writes of former lives are confirmed by nothing else: no node can
   * claim a write whose author ended before anybody knew everything up to it, as with a restored backup or damaged rows (R11).
   */
  holdsTheSame(peer: string, collection: CollectionName): void {
    const state = this.#deps.replica.collection(collection);
    const peers = this.#same.get(state) ?? new Set();
    if (this.#isClosed || this.#formerIds.size === 0 || peers.has(peer)) return;
    this.#same.set(state, peers.add(peer));
    const points = new Map(this.#table.pointsOf(collection)).get(peer) ?? NO_POINTS;
    for (const own of this.#formerIds)
      if (this.#pendingOf(collection, own, points, 1) > 0) this.#table.confirmWhole(peer, collection, own);
    this.#changed(collection);
  }

  /** Human name of the peer with this replica id, if this node has met it. */
  nodeOf(replica: ReplicaId): string | null {
    return this.#table.nodeOf(replica);
  }

  /** Whether a single other node holds everything that this one wrote in the collection (R12). */
  isConfirmed(collection: CollectionName): boolean {
    return this.#leastPending(collection, 1) === 0;
  }

  /**
   * Resolves when at least `peers` distinct other nodes hold the newest write that this node made of the document or, without a
   * key, everything that it wrote in the collection before the call; immediately if it wrote nothing. A write that another one
   * knowingly replaced counts as held if the replacing one is held. Waits for ever if no peer comes, so give a signal. Rejects with
   * the signal's reason, WRITE_QUEUE_FULL (`receiptWaitersMax` calls already wait), IO_FAILED if the write was lost before it was
   * durable, DATABASE_CLOSED.
   */
  async replicated(collection: string, key: string | undefined, options: ReplicatedOptions = {}): Promise<void> {
    const { peers = 1, signal } = options;
    if (!Number.isSafeInteger(peers) || peers < 1)
      throw new RangeError(`peers is ${peers}; it is a whole number from 1`);
    signal?.throwIfAborted();
    const name = parseCollectionName(collection);
    const parsed = key === undefined ? undefined : parseDocumentKey(key);
    this.#deps.commitPending();
    if (this.#waiters.size >= this.#deps.limits.receiptWaitersMax) throw tooManyWaiters(this.#waiters.size);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { collection: name, key: parsed, peers, dots: this.#ownDots(name, parsed), resolve, reject };
    const abort = (): void => reject(signal!.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#waiters.add(waiter);
    this.#settle(waiter);
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Writes that a peer, given by human name or device key, is not known to hold, by collection; collections of which it holds
   * everything are left out. If several nodes have the name, the one that holds least counts; one that was never met holds nothing.
   */
  pendingFor(node: string): PendingWrites[] {
    this.#deps.commitPending();
    const points = [...this.#table.peers()].filter((peer) => peer.node === node || peer.peer === node);
    return this.#listed((collection) =>
      Math.max(
        ...(points.length === 0 ? [undefined] : points).map((p) =>
          this.#pending(collection, p?.points.get(collection) ?? NO_POINTS),
        ),
      ),
    );
  }

  /** Writes that no other node is known to hold: those that would be lost with this node's disk. */
  unsynced(): PendingWrites[] {
    this.#deps.commitPending();
    return this.#listed((collection) => this.#leastPending(collection, COUNTED_MAX));
  }

  /** Writes what was heard; waiting calls reject with DATABASE_CLOSED. Call it before the database is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const leave of this.#unsubscribe) leave();
    for (const { reject } of [...this.#waiters])
      reject(new PersistenceError('DATABASE_CLOSED', 'the database was closed while a write waited for other nodes'));
    this.#write();
  }

  #listed(pendingIn: (collection: CollectionName) => number): PendingWrites[] {
    return [...this.#deps.replica.collections()]
      .map(({ name }) => ({ collection: name, writes: pendingIn(name) }))
      .filter(({ writes }) => writes > 0);
  }

  #leastPending(collection: CollectionName, countMax: number): number {
    let least: number | undefined;
    for (const [, points] of this.#table.pointsOf(collection)) {
      least = Math.min(least ?? countMax, this.#pending(collection, points, least ?? countMax));
      if (least === 0) return 0;
    }
    return least ?? this.#pending(collection, NO_POINTS, countMax);
  }

  #pending(collection: CollectionName, points: ConfirmedPoints, countMax = COUNTED_MAX): number {
    let count = 0;
    for (const own of this.#deps.replica.ownIds()) {
      if (count >= countMax) break;
      count += this.#pendingOf(collection, own, points, countMax - count);
    }
    return count;
  }

  #pendingOf(collection: CollectionName, own: ReplicaId, points: ConfirmedPoints, countMax: number): number {
    const point = points.get(own) ?? 0;
    const live = this.#countLive(collection, own, point, countMax);
    const newest = this.#formerIds.has(own) ? this.#purgedUpTo(collection, own) : this.#known(collection, own);
    return live === 0 && newest > point ? 1 : live;
  }

  #known(collection: CollectionName, own: ReplicaId): number {
    return this.#deps.replica.collection(collection).knowledge.get(own)?.seq ?? 0;
  }

  /** Own deletions up to here may be purged: no row tells of them, and peers that have not heard of them lack them still. */
  #purgedUpTo(collection: CollectionName, own: ReplicaId): number {
    // What was forgotten with damaged rows (R11) is no deletion any more.
    return Math.min(this.#deps.replica.collection(collection).purged.get(own) ?? 0, this.#known(collection, own));
  }

  #countLive(collection: CollectionName, own: ReplicaId, point: number, countMax: number): number {
    const range = { collection, replica: own, afterSeq: point, pageMax: Math.min(PAGE_MAX, countMax) };
    const live = allVersions(this.#deps.replica.store, range);
    return live.take(countMax).reduce((count) => count + 1, 0);
  }

  /** The writes of this node that a peer must hold: the newest under each own id. */
  #ownDots(collection: CollectionName, key: Waiter['key']): readonly Dot[] {
    const { replica } = this.#deps;
    const ids = new Set(replica.ownIds());
    const newest = new Map<ReplicaId, number>();
    const add = (own: ReplicaId, seq: number): void => {
      if (ids.has(own) && seq > (newest.get(own) ?? 0)) newest.set(own, seq);
    };
    const versions = key === undefined ? [] : (replica.get(collection, key)?.versions ?? []);
    if (key === undefined) add(replica.id, this.#known(collection, replica.id));
    for (const version of versions) {
      add(version.replica, version.seq);
      // An own version stands for the older own ones that it replaced; a foreign version does not.
      if (!ids.has(version.replica)) for (const line of version.context) add(line.replica, line.last);
    }
    // Unless a version of this life says so, the newest own write may be a deletion that was purged.
    if (!versions.some((version) => version.replica === replica.id))
      for (const own of ids) add(own, this.#purgedUpTo(collection, own));
    return [...newest].map(([own, seq]) => ({ replica: own, seq }));
  }

  #settle(waiter: Waiter): void {
    if (this.#isHeldBy(waiter) >= waiter.peers) waiter.resolve();
  }

  /** How many nodes hold it; enough if there is nothing to hold. */
  #isHeldBy({ collection, key, dots, peers }: Waiter): number {
    const { replica } = this.#deps;
    const formerIds = key === undefined ? [...this.#formerIds] : [];
    const lacksFormer = (points: ConfirmedPoints): boolean =>
      formerIds.some((own) => replica.store.delta(collection, own, points.get(own) ?? 0, 1).length > 0);
    const isHeld = (points: ConfirmedPoints): boolean =>
      dots.every((dot) => (points.get(dot.replica) ?? 0) >= dot.seq) && !lacksFormer(points);
    if (isHeld(NO_POINTS)) return peers;
    let count = 0;
    for (const [, points] of this.#table.pointsOf(collection)) if (isHeld(points)) count++;
    return count;
  }

  #committed({ changed }: CommitNotice): void {
    if (this.#deps.replica.id !== this.#ownId) this.#takeNewId();
    if (this.#formerIds.size === 0) return;
    for (const { collection, versions } of changed)
      for (const { replica, seq } of versions)
        if (this.#formerIds.has(replica) && seq > this.#known(collection, replica))
          this.#table.arrived(collection, replica);
  }

  /** R9: a new id may have repeated writes of the old one, so waiters are updated. */
  #takeNewId(): void {
    const { replica } = this.#deps;
    this.#ownId = replica.id;
    this.#formerIds = formerIdsOf(replica);
    this.#same = new WeakMap();
    this.#table.keepOnly(new Set(replica.ownIds()));
    for (const waiter of [...this.#waiters]) {
      waiter.dots = this.#ownDots(waiter.collection, waiter.key);
      this.#settle(waiter);
    }
  }

  /** Commits were lost, and their seqs will name other writes: rejects those who wait for them. */
  #reloaded(): void {
    const { replica } = this.#deps;
    this.#ownId = replica.id;
    this.#formerIds = formerIdsOf(replica);
    this.#same = new WeakMap();
    for (const { dots, reject } of [...this.#waiters])
      if (dots.some((dot) => dot.replica === replica.id && dot.seq > replica.seq))
        reject(new PersistenceError('IO_FAILED', 'the disk lost the write before it was durable; write it again'));
  }

  #changed(collection: CollectionName): void {
    this.#writeSoon();
    for (const waiter of [...this.#waiters]) if (waiter.collection === collection) this.#settle(waiter);
  }

  #writeSoon(): void {
    if (!this.#table.isDirty) return;
    this.#cancelTimer ??= this.#deps.clock.setTimer(TIMES.receiptWriteMs, () => this.#write());
  }

  /** A failure is harmless: the table stays dirty, and is written with the next statement of a peer. */
  #write(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    try {
      this.#table.write();
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'what peers confirmed could not be written down; it is tried again');
    }
  }
}

function formerIdsOf(replica: Replica): ReadonlySet<ReplicaId> {
  return new Set(replica.ownIds().slice(1));
}

function tooManyWaiters(waiting: number): PersistenceError {
  return new PersistenceError(
    'WRITE_QUEUE_FULL',
    `${waiting} calls of replicated() wait already (Limits.receiptWaitersMax); wait for a collection rather than for each document`,
  );
}
