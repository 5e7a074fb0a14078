import { isEntglDbError } from '../src/core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { MemorySnapshot } from '../src/store/memory/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { Holdings, heldBy, versionsOf, wantedHoldings } from './holdings.ts';
import { Keeping } from './keeping.ts';
import type { Receipt, SimNode } from './node.ts';
import { ReceiptBook } from './receipt-book.ts';
import { type Scene, unreadableKeys } from './scene.ts';
import type { TrueWrite } from './true-write.ts';

/** Commits that no flush covered and that a power cut leaves on the disk nevertheless, at most. */
const LUCKY_COMMITS_MAX = 3;

/** What happens to the disks of nodes, and what it may cost: which writes are lost, and which must not be. */
export class Disks {
  readonly #scene: Scene;
  readonly #random: SeededRandom;
  readonly #report: (problem: string) => void;
  readonly #receipts: ReceiptBook;
  readonly #keeping: Keeping;
  readonly #backups: { readonly node: SimNode; readonly image: MemorySnapshot }[] = [];
  /** Writes that a disk held and gave up: lost if no other disk has them once it is counted. */
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

  /** Remembers what the node's disk holds, as something that stays. */
  look(node: SimNode): void {
    if (node.isUp) this.#keeping.look(node);
  }

  confirmed(receipt: Receipt): void {
    this.#receipts.add(receipt);
  }

  crash(node: SimNode): void {
    const { cluster, history } = this.#scene;
    cluster.network.dropAllOf(node.key);
    const held = heldBy(node.replica, history);
    node.crash(this.#random.chance(0.3) ? this.#random.integer(1, LUCKY_COMMITS_MAX) : 0);
    this.#check(node);
    this.#lose((write) => held.has(write));
    this.#undo(node);
  }

  /** A node that cannot even start, its disk being full, stays down until the next try. */
  start(node: SimNode): void {
    const isStarted = this.#trackLife(node, () => node.start());
    if (!isStarted && node.isUp) this.crash(node);
  }

  /** A backup counts once all that is in it is durable where it came from: what a crash takes back must be in no copy. */
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

  /** By hand: the file that comes back is another node's, which may be running. */
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

  /** The row cannot be read any more, which nobody notices before it is. False: there is none. */
  rot(node: SimNode, collection: CollectionName, key: DocumentKey): boolean {
    if (!node.isUp || node.replica.get(collection, key) === undefined) return false;
    const held = new Holdings(node.replica);
    for (const write of this.#scene.history.ofDocument({ collection, key }))
      if (held.has(write)) this.#doomed.add(write.id);
    this.#forget(node);
    node.store.damage(collection, key);
    return true;
  }

  /** What the background scrub does: rows that cannot be read are repaired (R11). */
  scrub(node: SimNode): void {
    for (const collection of this.#scene.collections) {
      const damaged = unreadableKeys(node, collection, this.#scene.keys);
      if (damaged.length > 0) node.repair(collection, damaged);
    }
  }

  /** Refused in life while no other node has confirmed all of it; what others then lose again is lost. */
  evict(node: SimNode, collection: CollectionName): void {
    if (!node.isUp || !node.mayWant(collection) || node.replica.evictions.isPending(collection)) return;
    const { cluster, history } = this.#scene;
    const held = new Holdings(node.replica);
    const mine = history.ofCollection(collection).filter((write) => held.has(write));
    const others = cluster.nodes.filter((n) => n !== node && n.wants(collection)).map(wantedHoldings);
    if (mine.some((write) => !others.some((other) => other.has(write)))) return;
    for (const write of mine) this.#doomed.add(write.id);
    node.evict(collection);
  }

  /**
   * The replica is about to take a new id; `take` does it. What it then does not know any more counts as given up. Where its disk
   * refuses, it goes on as it was, and the next occasion finds the same reason.
   */
  takeLife(node: SimNode, take: () => void): void {
    const held = heldBy(node.replica, this.#scene.history);
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
    const held = heldBy(node.replica, this.#scene.history);
    for (const write of this.#scene.history.writes()) if (held.has(write)) this.#doomed.add(write.id);
    return held;
  }

  #lose(gone: (write: TrueWrite) => boolean): void {
    const { cluster, history } = this.#scene;
    history.markLost(gone, cluster.nodes);
  }

  /**
   * What was never durable did not happen, unless a copy of the disk has it. The first crash decides: what it left on the disk
   * happened, though nobody was told, and may be purged everywhere before the next one.
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

  /** R9 writes versions again under another name: ground truth follows them by stamp and value. False: the disk refused. */
  #trackLife(node: SimNode, take: () => void): boolean {
    const { history } = this.#scene;
    const before = node.replica && heldBy(node.replica, history);
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

/** A disk that is full or broken refuses work; that is no problem as long as it says so. */
export function isRefusal(error: unknown): boolean {
  return (['DISK_FULL', 'IO_FAILED', 'DOCUMENT_CORRUPT'] as const).some((reason) => isEntglDbError(error, reason));
}
