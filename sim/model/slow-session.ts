import type { AttackCounts, AttackOptions } from './attack-options.ts';
import { type AttackReplica, joinVectors, placeOf, type Version } from './attack-replica.ts';
import { covers, dominates, type Vector } from './vectors.ts';

/**
 * A session whose live set is described some messages before it is claimed. The mode says what the claim consists of:
 *
 * - `snapshot`: live set, knowledge and purge line of the description. Sound, but needs a snapshot at the sender.
 * - `atomic`: all three of the claim's moment. Sound, but needs everything in one message.
 * - `mixed`: the description's live set with the claim's knowledge and purge line. Refuted: it drops what the sender got in
 *   between.
 * - `snapshotOldReceiver`: as `snapshot`, but only what the receiver held at the description is compared. Refuted: what
 *   other sessions brought in between stays although it was deleted.
 */
export class SlowSession {
  readonly from: AttackReplica;
  readonly to: AttackReplica;
  readonly #options: AttackOptions;
  readonly #counts: AttackCounts;
  readonly #wanted: Vector;
  readonly #queue: Version[];
  readonly #placesAtStart: ReadonlySet<string>;
  #phase = 0;
  #description: Description | null = null;

  constructor(from: AttackReplica, to: AttackReplica, options: AttackOptions, counts: AttackCounts) {
    this.from = from;
    this.to = to;
    this.#options = options;
    this.#counts = counts;
    this.#wanted = new Map(to.known);
    this.#queue = from.allLive().filter((version) => !covers(this.#wanted, version));
    this.#placesAtStart = from.livePlaces();
  }

  /** Sends one message. Returns true if it was the claim. */
  step(): boolean {
    const next = this.#queue.shift();
    if (next) {
      if (this.from.live(next.key).includes(next)) this.to.apply(next);
      return false;
    }
    if (this.#description === null) {
      this.#description = this.#describe();
      this.#phase = 1;
      return false;
    }
    if (this.#phase < (this.#options.window ?? 2)) {
      this.#phase++;
      return false;
    }
    this.#claim(this.#description);
    return true;
  }

  #changed(): Version[] {
    const isNew = (version: Version) => !this.#placesAtStart.has(placeOf(version)) && !covers(this.#wanted, version);
    return this.from.allLive().filter(isNew);
  }

  #describe(): Description {
    const { from, to } = this;
    const vectors = { known: new Map(from.known), purged: new Map(from.purged) };
    return { changed: this.#changed(), alive: from.livePlaces(), ...vectors, compared: to.livePlaces() };
  }

  #claim(then: Description): void {
    const { from, to } = this;
    const mode = this.#options.slow;
    const isOfDescription = mode === 'snapshot' || mode === 'snapshotOldReceiver';
    for (const version of isOfDescription ? then.changed : this.#changed()) to.apply(version);
    const { known, purged } = isOfDescription ? then : from;
    if (!dominates(this.#wanted, purged)) {
      this.#counts.liveSets++;
      const alive = mode === 'atomic' ? from.livePlaces() : then.alive;
      const isCompared = (version: Version) => mode !== 'snapshotOldReceiver' || then.compared.has(placeOf(version));
      to.drop((version) => isCompared(version) && !alive.has(placeOf(version)) && covers(known, version));
    }
    if (mode === 'mixed') {
      to.joinKnown(from);
      joinVectors(to, new Map(), purged);
    } else joinVectors(to, known, purged);
  }
}

interface Description {
  readonly changed: readonly Version[];
  readonly alive: ReadonlySet<string>;
  readonly known: Vector;
  readonly purged: Vector;
  readonly compared: ReadonlySet<string>;
}
