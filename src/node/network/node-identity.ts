import type { ForkProof } from '../../core/replication/index.ts';
import type { NewLife } from '../../database/replica/index.ts';
import type { DiscoveryEvent } from '../../net/discovery/index.ts';
import type { Address } from '../../net/index.ts';
import type { DeviceKey } from '../../net/tcp/index.ts';
import { loadDeviceKey, renewDeviceKey } from './device-key-file.ts';
import type { NetworkDeps, NetworkOptions } from './network-options.ts';

export interface NodeIdentityDeps
  extends Pick<NetworkDeps, 'database' | 'random' | 'logger' | 'isCopied' | 'onFailure' | 'onNotice'> {
  /** No session goes on under an identity that is given up. */
  readonly endSessions: () => void;
  /** Runs `renew`, in turn with whatever else changes the network; the node goes off it and back where that says that there is a new device key. */
  readonly reopenAfter: (renew: () => Promise<boolean>) => Promise<void>;
}

/**
 * Who this node is to its peers, the device key and the replica id, and what becomes of them when somebody else has them, too (R9): a
 * copy of this disk, or what this node was before it was rolled back.
 */
export class NodeIdentity {
  readonly #options: Pick<NetworkOptions, 'nodeId' | 'databasePath'>;
  readonly #deps: NodeIdentityDeps;
  #deviceKey: DeviceKey | undefined;

  constructor(options: Pick<NetworkOptions, 'nodeId' | 'databasePath'>, deps: NodeIdentityDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** After `load`. */
  get deviceKey(): DeviceKey {
    return this.#deviceKey!;
  }

  /** Reads the device key, or makes the first; on a copied disk, another. Throws as `loadDeviceKey`. */
  async load(): Promise<void> {
    const { isCopied, random } = this.#deps;
    const load = isCopied ? renewDeviceKey : loadDeviceKey;
    this.#deviceKey = await load(this.#options.databasePath, random);
  }

  /** Discovery hears somebody with the identity of this node. */
  heardTwin(twin: Extract<DiscoveryEvent, { readonly kind: 'twin' }>): void {
    const { database, logger } = this.#deps;
    logger.error({ ...twin }, 'another node runs with the identity of this one: one is a copy of the other');
    if (twin.sameReplica) this.forked({ replica: database.replica.id, seq: 0, theirs: null, ours: null, why: 'twin' });
    else if (twin.sameDevice) this.#renewDevice();
  }

  /** Somebody at `remote` proved to hold `deviceKey`. With keys of their own the two can talk, and their greetings show what else they share. */
  metTwin(remote: Address, deviceKey: DeviceKey): void {
    this.#deps.logger.error({ ...remote }, 'another node holds the device key of this one: one is a copy of the other');
    if (this.#deviceKey === deviceKey) this.#renewDevice();
  }

  /** This node is a copy, was rolled back, or has a twin: a new replica id, and a new device key with it. */
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

  /** Undefined where the disk cannot take it: the next meeting finds the same proof and tries again. */
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
