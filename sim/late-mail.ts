import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Version } from '../src/core/version/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { versionsOf } from './holdings.ts';
import type { SimNode } from './node.ts';
import type { Scene } from './scene.ts';

/** Letters under way; the oldest is thrown away for a new one. */
const LETTERS_MAX = 50;

interface Letter {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly version: Version;
}

/**
 * Versions that arrive once more, late, out of order and by another way than a session, as from a peer that held them back: applying
 * is idempotent and order-free (R2), and what was deleted meanwhile stays so.
 */
export class LateMail {
  readonly #scene: Scene;
  readonly #random: SeededRandom;
  readonly #letters: Letter[] = [];

  constructor(scene: Scene, random: SeededRandom) {
    this.#scene = scene;
    this.#random = random;
  }

  /** Takes a letter at the node, or brings it one. */
  post(node: SimNode): void {
    if (!node.isUp) return;
    if (this.#letters.length === 0 || this.#random.chance(0.5)) this.#take(node);
    else this.#bring(this.#random.pick(this.#letters), node);
  }

  /** Nothing leaves a node before it is durable there. */
  #take(node: SimNode): void {
    const collection = this.#random.pick(this.#scene.collections);
    const key = this.#random.pick(this.#scene.keys);
    const versions = versionsOf(node.replica, collection, key);
    if (versions.length === 0) return;
    const letter = { collection, key, version: this.#random.pick(versions) };
    node.replica.flush().then(
      () => {
        this.#letters.push(letter);
        if (this.#letters.length > LETTERS_MAX) this.#letters.shift();
      },
      () => {},
    );
  }

  #bring({ collection, key, version }: Letter, node: SimNode): void {
    if (node.wants(collection)) node.replica.applyRemote([{ ...version, collection, key }], [], {});
  }
}
