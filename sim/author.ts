import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { Conflicts, type ConflictsHost } from '../src/database/conflicts.ts';
import { undo } from '../src/database/history/index.ts';
import type { LocalWrite } from '../src/database/replica/index.ts';
import type { StoredDocument } from '../src/store/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import type { LiveOrder } from './live-order.ts';
import type { SimNode } from './node.ts';
import type { Scene } from './scene.ts';
import type { Place, TrueWrite } from './true-write.ts';

/** Of so many newest conflicts, one is restored. */
const LISTED_MAX = 20;

/** Writes on behalf of the users of all nodes, and records each write as ground truth. */
export class Author {
  readonly #scene: Scene;
  readonly #random: SeededRandom;
  readonly #deleteChance: number;
  readonly #order: LiveOrder | undefined;
  #made = 0;

  constructor(scene: Scene, random: SeededRandom, deleteChance: number, order: LiveOrder | undefined) {
    this.#scene = scene;
    this.#random = random;
    this.#deleteChance = deleteChance;
    this.#order = order;
  }

  /** Makes one commit of up to `documents` documents. The writes count as acknowledged once they are durable. */
  write(node: SimNode, documents: number): void {
    const { collections, keys } = this.#scene;
    const wanted = collections.filter((name) => node.wants(name));
    if (!node.isUp || wanted.length === 0) return;
    const places = new Map<string, { collection: CollectionName; key: DocumentKey }>();
    for (let i = 0; i < documents; i++) {
      const place = { collection: this.#random.pick(wanted), key: this.#random.pick(keys) };
      places.set(`${place.collection}/${place.key}`, place);
    }
    this.#commit(node, [...places.values()], (_, transaction) => this.#value(transaction));
  }

  /** A user brings back what lost a conflict, or undoes the last change of a document. Returns a problem if readers do not see it then. */
  restore(node: SimNode): string | undefined {
    if (!node.isUp) return undefined;
    let made: readonly { readonly shown: string | null }[] = [];
    const write = async (_collection: CollectionName, writes: readonly LocalWrite[]): Promise<void> => {
      made = this.#commit(node, writes, ({ value }) => value);
    };
    const wanted = this.#beginRestore(node, write);
    const [written] = made;
    if (wanted === undefined || written === undefined || written.shown === wanted.value) return undefined;
    return `restored ${wanted.value} and shows ${written.shown}`;
  }

  /** Returns the value that is to come back. */
  #beginRestore(node: SimNode, write: ConflictsHost['write']): { readonly value: string | null } | undefined {
    const { replica, past, clock } = node;
    const nodeOf = (): null => null;
    const refused = (): void => {}; // by the disk: nothing was written
    if (past === undefined || this.#random.chance(0.5)) {
      const listed = replica.conflicts.list(undefined, LISTED_MAX).filter(({ collection }) => node.wants(collection));
      if (listed.length === 0) return undefined;
      const conflicts = new Conflicts({ replica, nodeOf, assertOpen: () => {}, commitPending: () => {}, write });
      const { id, loser } = this.#random.pick(listed);
      conflicts.restore(id, {}).catch(refused);
      return loser;
    }
    const { collections, keys } = this.#scene;
    const [collection, key] = [this.#random.pick(collections), this.#random.pick(keys)];
    const last = past.of(collection, key).at(-1);
    if (!node.wants(collection) || last === undefined) return undefined;
    const read = (...place: [CollectionName, DocumentKey]): StoredDocument | undefined => replica.get(...place);
    undo({ clock, history: past, read, write, nodeOf }, collection, key, undefined).catch(refused);
    return last;
  }

  /** Makes one commit of writes to these documents. Returns those that were made, with what readers see right after. */
  #commit<P extends Place>(
    node: SimNode,
    places: readonly P[],
    valueFor: (place: P, transaction: number) => string | null,
  ): readonly { shown: string | null }[] {
    const { replica } = node;
    const seen = places.map(({ collection, key }) => {
      const { versions = [], value = null } = replica.get(collection, key) ?? {};
      return { collection, key, seen: versions, replaced: value };
    });
    const transaction = this.#made++;
    const writes = places.map((place) => {
      const { collection, key } = place;
      return { collection, key, value: valueFor(place, transaction) };
    });
    const posBefore = replica.pos;
    const [outcome] = replica.write([{ writes }]);
    if (outcome?.kind !== 'written' || replica.pos === posBefore) return [];
    const recorded: TrueWrite[] = [];
    const made: { shown: string | null }[] = [];
    for (const before of seen) {
      const { versions: [written, ...others] = [], value: shown = null } =
        replica.get(before.collection, before.key) ?? {};
      if (written === undefined || others.length > 0 || written === before.seen[0]) continue;
      const author = { author: node.key, disk: node.replacedDisks };
      recorded.push(this.#scene.history.record({ ...before, ...author, transaction, written }));
      made.push({ shown });
    }
    this.#order?.wrote(node, recorded);
    acknowledge(node, recorded);
    return made;
  }

  #value(id: number): string | null {
    if (this.#random.chance(this.#deleteChance)) return null;
    return JSON.stringify({ id, [`f${id % 3}`]: id, list: [{ id: `i${id % 2}`, n: id }] });
  }
}

function acknowledge(node: SimNode, recorded: readonly TrueWrite[]): void {
  node.replica.flush().then(
    () => {
      for (const write of recorded) write.isAcknowledged = true;
    },
    () => {},
  );
}
