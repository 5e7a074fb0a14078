import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Version } from '../src/core/version/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { versionsOf } from './holdings.ts';
import type { SimNode } from './node.ts';
import type { Scene } from './scene.ts';

/** The most letters kept; a new one displaces the oldest. */
const LETTERS_MAX = 50;

interface Letter {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly version: Version;
}

/**
 * Versions that arrive again: late, out of order and outside any session, as from a peer that held them back. Applying
 * them is idempotent and independent of order (R2), and what was deleted meanwhile stays deleted.
 */
export class LateMail {
  readonly #scene: Scene;
  readonly #random: SeededRandom;
  readonly #letters: Letter[] = [];

  constructor(scene: Scene, random: SeededRandom) {
    this.#scene = scene;
    this.#random = random;
  }

  /** Picks up a letter at the node, or delivers one to it. */
  post(node: SimNode): void {
    if (!node.isUp) return;
    if (this.#letters.length === 0 || this.#random.chance(0.5)) this.#take(node);
    else this.#bring(this.#random.pick(this.#letters), node);
  }

  /** The letter counts once its version is durable: nothing leaves a node before that. */
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
