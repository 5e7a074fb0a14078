import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { MemorySnapshot } from '../src/store/memory/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { Holdings, heldBy, versionsOf, wantedHoldings } from './holdings.ts';
import { Keeping } from './keeping.ts';
import type { Receipt, SimNode } from './node.ts';
import { ReceiptBook } from './receipt-book.ts';
import { isRefusal } from './refusal.ts';
import { type Scene, unreadableKeys } from './scene.ts';
import type { TrueWrite } from './true-write.ts';

/** The most unflushed commits that may survive a power cut by luck. */
const LUCKY_COMMITS_MAX = 3;

/** What happens to the nodes' disks, and which writes may be lost by it. */
export class Disks {
  readonly #scene: Scene;
  readonly #random: SeededRandom;
  readonly #report: (problem: string) => void;
  readonly #receipts: ReceiptBook;
  readonly #keeping: Keeping;
  readonly #backups: { readonly node: SimNode; readonly image: MemorySnapshot }[] = [];
  /** Writes that a disk held and gave up. They count as lost if no other disk has them at the next count. */
  readonly #doomed = new Set<number>();

  constructor(
    scene: Scene,
    random: SeededRandom,
    isAmbiguous: (write: TrueWrite) => boolean,
    report: (problem: string) => void,
  ) {
    this.#scene = scene;
    this.#random = random;
    this.#report = report;
    this.#receipts = new ReceiptBook(scene.history);
    this.#keeping = new Keeping(scene.history, isAmbiguous);
  }

  /** Remembers what the node's disk holds; it must stay there once it is durable. */
  look(node: SimNode): void {
    if (node.isUp) this.#keeping.look(node);
  }

  confirmed(receipt: Receipt): void {
    this.#receipts.add(receipt);
  }

  crash(node: SimNode): void {
    const { cluster, history } = this.#scene;
    cluster.network.dropAllOf(node.key);
    const held = heldBy(node, history);
    node.crash(this.#random.chance(0.3) ? this.#random.integer(1, LUCKY_COMMITS_MAX) : 0);
    this.#check(node);
    this.#lose((write) => held.has(write));
    this.#undo(node);
  }

  /** Starts the node. If it cannot start because its disk is full, it stays down until the next try. */
  start(node: SimNode): void {
    const isStarted = this.#trackLife(node, () => node.start());
    if (!isStarted && node.isUp) this.crash(node);
  }

  /** A backup counts once everything in it is durable at its node: no copy may hold what a crash can still take back. */
  backup(node: SimNode): void {
    if (!node.isUp) return;
    const image = node.image();
    node.replica.flush().then(
      () => this.#backups.push({ node, image }),
      () => {},
    );
  }

  restore(node: SimNode): void {
    const mine = this.#backups.filter((b) => b.node === node);
    if (mine.length > 0) this.#replace(node, this.#random.pick(mine).image);
  }

  /** An operator's mistake: restores the backup of another node, which may still be running. */
  borrow(node: SimNode): void {
    const others = this.#backups.filter((b) => b.node !== node);
    if (others.length > 0) this.#replace(node, this.#random.pick(others).image);
  }

  wipe(node: SimNode): void {
    this.#replace(node, undefined);
  }

  /** The node is gone for good, and its disk with it. */
  leave(node: SimNode): void {
    const held = this.#doom(node);
    if (node.isUp) this.crash(node);
    this.#scene.cluster.remove(node);
    this.#lose((write) => held.has(write));
  }

  damage(node: SimNode, collection: CollectionName, key: DocumentKey): void {
    if (this.rot(node, collection, key)) node.repair(collection, [key]);
  }

  /** Makes a row unreadable; nothing notices until it is read. Returns false if there is no such row. */
  rot(node: SimNode, collection: CollectionName, key: DocumentKey): boolean {
    if (!node.isUp || node.replica.get(collection, key) === undefined) return false;
    const held = new Holdings(node.replica);
    const mine = new Set(this.#scene.history.ofDocument({ collection, key }).filter((write) => held.has(write)));
    for (const write of mine) this.#doomed.add(write.id);
    this.#forget(node);
    this.#scene.history.goneRows.add(collection);
    node.store.damage(collection, key);
    // Where its knowledge does not cover them, nobody will miss them, even if its disk refuses to note the damage.
    this.#lose((write) => mine.has(write));
    return true;
  }

  /** Repairs the rows that cannot be read, as the background scrub does (R11). */
  scrub(node: SimNode): void {
    for (const collection of this.#scene.collections) {
      const damaged = unreadableKeys(node, collection, this.#scene.keys);
      if (damaged.length > 0) node.repair(collection, damaged);
    }
  }

  /**
   * Evicts the collection, but only if other nodes hold all of it: a real node refuses the eviction otherwise. What those
   * nodes lose later counts as lost.
   */
  evict(node: SimNode, collection: CollectionName): void {
    if (!node.isUp || !node.mayWant(collection) || node.replica.evictions.isPending(collection)) return;
    const { cluster, history } = this.#scene;
    const held = new Holdings(node.replica);
    const mine = history.ofCollection(collection).filter((write) => held.has(write));
    const others = cluster.nodes.filter((n) => n !== node && n.wants(collection)).map(wantedHoldings);
    if (mine.some((write) => !others.some((other) => other.has(write)))) return;
    for (const write of mine) this.#doomed.add(write.id);
    history.goneRows.add(collection);
    node.evict(collection);
  }

  /**
   * The replica is about to take a new id; `take` does it. What it no longer knows afterwards counts as given up. If its
   * disk refuses, it goes on as before, and the same reason comes up again later.
   */
  takeLife(node: SimNode, take: () => void): void {
    const held = heldBy(node, this.#scene.history);
    if (!this.#trackLife(node, take)) return;
    this.#forget(node);
    this.#lose((write) => held.has(write) || this.#doomed.has(write.id));
  }

  /** A flush failed, and the node went back to what is durable. */
  reloaded(node: SimNode): void {
    this.#check(node);
    this.#undo(node);
    this.#lose((write) => this.#doomed.has(write.id));
  }

  #check(node: SimNode): void {
    for (const problem of [...this.#keeping.broken(node), ...this.#receipts.broken(node)]) this.#report(problem);
  }

  #forget(node: SimNode): void {
    this.#receipts.forget(node);
    this.#keeping.forget(node);
  }

  #replace(node: SimNode, image: MemorySnapshot | undefined): void {
    const held = this.#doom(node);
    if (node.isUp) this.crash(node);
    this.#forget(node);
    node.replaceDisk(image);
    this.start(node);
    this.#lose((write) => held.has(write));
  }

  #doom(node: SimNode): Holdings {
    const held = heldBy(node, this.#scene.history);
    for (const write of this.#scene.history.writes()) if (held.has(write)) this.#doomed.add(write.id);
    return held;
  }

  #lose(gone: (write: TrueWrite) => boolean): void {
    const { cluster, history } = this.#scene;
    history.markLost(gone, cluster.nodes);
  }

  /**
   * A write that was never durable did not happen, unless another disk has it. The first crash decides: a write that it left
   * on the disk happened, though nobody was told, and may be purged everywhere before the next crash.
   */
  #undo(node: SimNode): void {
    const { cluster, history } = this.#scene;
    const unsettled = history.unsettledOf(node.key);
    if (unsettled.length === 0) return;
    const now = new Holdings(node.replica);
    const others = cluster.nodes.filter((n) => n !== node).map(wantedHoldings);
    for (const write of unsettled) {
      if (now.has(write)) write.isKept = true;
      else write.isUndone = !others.some((other) => other.hasSeen(write));
    }
  }

  /** R9 writes versions again under a new dot; ground truth recognises them by stamp and value. False: the disk refused. */
  #trackLife(node: SimNode, take: () => void): boolean {
    const { history } = this.#scene;
    const before = node.replica && heldBy(node, history);
    try {
      take();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
    if (before === undefined) return true;
    for (const { collection, key } of history.places()) {
      const held = before.versions(collection, key);
      const now = versionsOf(node.replica, collection, key);
      if (now === held) continue;
      for (const version of now) {
        if (history.idOf(version) !== undefined) continue;
        const id = held
          .filter((old) => old.hlc === version.hlc && old.value === version.value)
          .map((old) => history.idOf(old))
          .findLast((each) => each !== undefined);
        if (id !== undefined) history.alias(version, id);
      }
    }
    return true;
  }
}
