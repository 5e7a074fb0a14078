import { bytesToReplicaId, type ReplicaId, replicaIdToBytes } from '../../core/ids/index.ts';
import { invalidMessage } from './invalid-message.ts';

const ID_BYTES = 16;

/**
 * Numbers that the sender gives to the replica ids of one direction: 1, 2, 3 … in the order in which they were first sent.
 * A full dictionary starts again, and the next frame tells the receiver so.
 */
export class ReplicaNumbers {
  readonly #numbers = new Map<ReplicaId, number>();
  readonly #replicasMax: number;
  #fresh: ReplicaId[] = [];
  #startsAgain = false;

  constructor(replicasMax: number) {
    this.#replicasMax = replicasMax;
  }

  /** The number of the replica, or 0 if the dictionary is full. */
  numberOf(replica: ReplicaId): number {
    const number = this.#numbers.get(replica);
    if (number !== undefined) return number;
    if (this.#numbers.size >= this.#replicasMax) return 0;
    this.#fresh.push(replica);
    this.#numbers.set(replica, this.#numbers.size + 1);
    return this.#numbers.size;
  }

  /** Ids that this message must introduce to the receiver. */
  get fresh(): Uint8Array {
    return Buffer.concat(this.#fresh.map(replicaIdToBytes));
  }

  get startsAgain(): boolean {
    return this.#startsAgain;
  }

  /** The message that introduces the fresh ids is complete: they count as known from now on. */
  accept(): void {
    this.#fresh = [];
    this.#startsAgain = false;
  }

  /** The message could not be made: the receiver never learns of the fresh ids. */
  discard(): void {
    for (const replica of this.#fresh) this.#numbers.delete(replica);
    this.#fresh = [];
  }

  startAgain(): void {
    this.#numbers.clear();
    this.#fresh = [];
    this.#startsAgain = true;
  }
}

/** The same dictionary at the receiver. */
export class ReplicaTable {
  readonly #replicas: ReplicaId[] = [];
  readonly #replicasMax: number;

  constructor(replicasMax: number) {
    this.#replicasMax = replicasMax;
  }

  learn(bytes: Uint8Array, startsAgain: boolean): void {
    if (startsAgain) this.#replicas.length = 0;
    if (bytes.length % ID_BYTES !== 0)
      throw invalidMessage('frame.new_replicas', `has ${bytes.length} bytes, not 16 each`);
    const count = bytes.length / ID_BYTES;
    if (this.#replicas.length + count > this.#replicasMax) {
      throw invalidMessage('frame.new_replicas', `makes more than ${this.#replicasMax} replicas`);
    }
    for (let at = 0; at < bytes.length; at += ID_BYTES) {
      this.#replicas.push(bytesToReplicaId(bytes.subarray(at, at + ID_BYTES)));
    }
  }

  replica(number: number, where: string): ReplicaId {
    const replica = this.#replicas[number - 1];
    if (replica === undefined) throw invalidMessage(where, `names replica ${number} of ${this.#replicas.length}`);
    return replica;
  }
}
