import type { ForkProof } from '../../core/replication/index.ts';
import type { ForkEvidence } from '../../core/version/index.ts';
import type { NewLife } from '../../database/replica/index.ts';
import type { DiscoveryEvent } from '../../net/discovery/index.ts';
import type { Address } from '../../net/index.ts';
import type { DeviceKey } from '../../net/tcp/index.ts';
import { loadDeviceKey, renewDeviceKey } from './device-key-file.ts';
import type { NetworkDeps, NetworkOptions } from './network-options.ts';

export interface NodeIdentityDeps
  extends Pick<NetworkDeps, 'database' | 'random' | 'logger' | 'isCopied' | 'onFailure' | 'onNotice'> {
  /** Ends all sessions: none may continue under an abandoned identity. */
  readonly endSessions: () => void;
  /** Runs `renew` in turn with other changes of the network. If it returns true (a new device key), the node leaves the network and returns. */
  readonly reopenAfter: (renew: () => Promise<boolean>) => Promise<void>;
}

/**
 * The node's identity to its peers, that is, its device key and replica id, and how it changes when another node has them too (R9): a
 * copy of this disk, or this node's own past before it was rolled back.
 */
export class NodeIdentity {
  readonly #options: Pick<NetworkOptions, 'nodeId' | 'databasePath'>;
  readonly #deps: NodeIdentityDeps;
  #deviceKey: DeviceKey | undefined;

  constructor(options: Pick<NetworkOptions, 'nodeId' | 'databasePath'>, deps: NodeIdentityDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Available after `load`. */
  get deviceKey(): DeviceKey {
    return this.#deviceKey!;
  }

  /** Reads the device key, or creates the first one; on a copied disk, creates a new one. Throws as `loadDeviceKey` does. */
  async load(): Promise<void> {
    const { isCopied, random, onNotice } = this.#deps;
    const { databasePath } = this.#options;
    this.#deviceKey = isCopied
      ? await renewDeviceKey(databasePath, random)
      : await loadDeviceKey(databasePath, random, onNotice);
  }

  /** Discovery has heard another node with this node's identity. */
  heardTwin(twin: Extract<DiscoveryEvent, { readonly kind: 'twin' }>): void {
    const { database, logger } = this.#deps;
    logger.error({ ...twin }, 'another node runs with the identity of this one: one is a copy of the other');
    if (twin.sameReplica) this.forked({ replica: database.replica.id, seq: 0, theirs: null, ours: null, why: 'twin' });
    else if (twin.sameDevice) this.#renewDevice();
  }

  /** The node at `remote` proved to hold `deviceKey`. With different keys the two can talk, and their greetings show what else they share. */
  metTwin(remote: Address, deviceKey: DeviceKey): void {
    this.#deps.logger.error({ ...remote }, 'another node holds the device key of this one: one is a copy of the other');
    if (this.#deviceKey === deviceKey) this.#renewDevice();
  }

  /** Two nodes write under one replica id, and this node does not, or not any more. */
  heardOfFork({ replica, seq }: ForkEvidence, whose: 'former' | 'others'): void {
    const { logger, onNotice } = this.#deps;
    logger.error({ replica, seq, whose }, 'two nodes write under one replica id; both are told');
    onNotice(
      whose === 'former'
        ? `another node went on under the former replica id ${replica} of this database: one is a copy of the other, or was rolled back`
        : `two other nodes share the replica id ${replica}: one is a copy of the other`,
    );
  }

  /** This node is a copy, was rolled back, or has a twin: it takes a new replica id and a new device key. */
  forked(proof: ForkProof): void {
    const { logger, onNotice, endSessions } = this.#deps;
    endSessions();
    const life = this.#takeNewLife(proof);
    if (life === undefined) return;
    logger.error(
      { ...life, proof },
      'this node shared its replica id with a copy, or was rolled back; it took a new one',
    );
    onNotice(
      `this database shared its identity with a copy of itself or was rolled back; it took a new one, and ${life.rewritten} documents were written again`,
    );
    this.#renewDevice();
  }

  /** Undefined if the disk refuses it; the next meeting finds the same proof and tries again. */
  #takeNewLife(proof: ForkProof): NewLife | undefined {
    const { database, onFailure } = this.#deps;
    try {
      database.commitPending();
      return database.replica.takeNewLife(proof.why, 'forked');
    } catch (error) {
      onFailure(error, this.#options.nodeId);
      return undefined;
    }
  }

  #renewDevice(): void {
    const { random, reopenAfter, onFailure } = this.#deps;
    const before = this.#deviceKey;
    const renew = async (): Promise<boolean> => {
      if (this.#deviceKey !== before) return false;
      this.#deviceKey = await renewDeviceKey(this.#options.databasePath, random);
      return true;
    };
    reopenAfter(renew).catch((error: unknown) => onFailure(error, this.#options.nodeId));
  }
}
