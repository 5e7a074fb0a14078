import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import type { LiveOrder } from './live-order.ts';
import type { SimNode } from './node.ts';
import type { Scene } from './scene.ts';
import type { TrueWrite } from './true-write.ts';

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
    const { collections, keys, history } = this.#scene;
    const wanted = collections.filter((name) => node.wants(name));
    if (!node.isUp || wanted.length === 0) return;
    const { replica } = node;
    const places = new Map<string, { collection: CollectionName; key: DocumentKey }>();
    for (let i = 0; i < documents; i++) {
      const place = { collection: this.#random.pick(wanted), key: this.#random.pick(keys) };
      places.set(`${place.collection}/${place.key}`, place);
    }
    const seen = [...places.values()].map((place) => ({
      ...place,
      seen: replica.get(place.collection, place.key)?.versions ?? [],
    }));
    const transaction = this.#made++;
    const writes = seen.map(({ collection, key }) => ({ collection, key, value: this.#value(transaction) }));
    const posBefore = replica.pos;
    const [outcome] = replica.write([{ writes }]);
    if (outcome?.kind !== 'written' || replica.pos === posBefore) return;
    const recorded: TrueWrite[] = [];
    for (const { collection, key, seen: before } of seen) {
      const [written, ...others] = replica.get(collection, key)?.versions ?? [];
      if (written === undefined || others.length > 0 || written === before[0]) continue;
      recorded.push(history.record({ collection, key, author: node.key, transaction, seen: before, written }));
    }
    this.#order?.wrote(node, recorded);
    acknowledge(node, recorded);
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
