import { LIMITS } from '../../core/config/index.ts';
import type { SyncStatusTracker } from '../../diagnostics/index.ts';
import type { SessionEvent } from '../../sync/index.ts';
import type { FollowedPeer } from '../network/index.ts';

/** Letters of a device key that tell two nodes of one name apart. */
const KEY_LETTERS = 8;

/** Tells the tracker what happens in the sessions. */
export class SyncFeed {
  readonly #tracker: SyncStatusTracker;
  /** Bytes on the wire since the start of the transport, both ways. */
  readonly #bytes: () => number;
  readonly #nameByKey = new Map<string, string>();
  /** Names of those that left, the newest last. */
  readonly #formerByKey = new Map<string, string>();
  #countedBytes = 0;

  constructor(tracker: SyncStatusTracker, bytes: () => number) {
    this.#tracker = tracker;
    this.#bytes = bytes;
  }

  followed(event: SessionEvent, peer: FollowedPeer): void {
    if (event.kind === 'opened') this.#opened(peer);
    const name = this.#nameByKey.get(peer.deviceKey);
    if (name === undefined) return;
    switch (event.kind) {
      case 'sent':
        return this.#tracker.recordSync({ documents: event.versions });
      case 'received':
        return this.#tracker.recordSync({ documents: event.applied });
      case 'claimed':
      case 'equal':
        this.#tracker.recordPeerSuccess(name);
        return this.#tracker.recordSync({ bytes: this.#newBytes() });
      default:
        return;
    }
  }

  /** A peer that nobody expects any more. */
  removed(deviceKey: string): void {
    const name = this.#nameByKey.get(deviceKey) ?? this.#formerByKey.get(deviceKey);
    this.#nameByKey.delete(deviceKey);
    this.#formerByKey.delete(deviceKey);
    const isTaken = [...this.#nameByKey.values()].some((other) => other === name);
    if (name !== undefined && !isTaken) this.#tracker.forgetPeer(name);
  }

  /** The session ended; `problem` is why, where it was no goodbye. */
  left(deviceKey: string, problem: string | null): void {
    const name = this.#nameByKey.get(deviceKey);
    if (name === undefined) return;
    this.#nameByKey.delete(deviceKey);
    this.#remember(deviceKey, name);
    this.#tracker.updatePeer(name, { isConnected: false });
    this.#tracker.recordSync({ bytes: this.#newBytes() });
    if (problem === null) return;
    this.#tracker.recordPeerFailure(name);
    this.#tracker.recordError(problem, name, 'NETWORK_ERROR');
  }

  #remember(deviceKey: string, name: string): void {
    this.#formerByKey.delete(deviceKey);
    this.#formerByKey.set(deviceKey, name);
    if (this.#formerByKey.size > LIMITS.peersMax) this.#formerByKey.delete(this.#formerByKey.keys().next().value!);
  }

  #opened({ deviceKey, node, address }: FollowedPeer): void {
    const isTaken = [...this.#nameByKey].some(([key, name]) => key !== deviceKey && name === node);
    const name = isTaken ? `${node} (${deviceKey.slice(0, KEY_LETTERS)})` : node;
    this.#nameByKey.set(deviceKey, name);
    this.#tracker.updatePeer(name, { address, isConnected: true });
  }

  /** A transport that was made anew counts from 0. */
  #newBytes(): number {
    const bytes = this.#bytes();
    const added = bytes >= this.#countedBytes ? bytes - this.#countedBytes : bytes;
    this.#countedBytes = bytes;
    return added;
  }
}
