import { LIMITS } from '../../core/config/index.ts';
import type { SyncStatusTracker } from '../../diagnostics/index.ts';
import type { SessionEvent } from '../../sync/index.ts';
import type { FollowedPeer } from '../network/index.ts';

/** How many letters of the device key distinguish two nodes of the same name. */
const KEY_LETTERS = 8;

/** Reports to the tracker what happens in the sessions. */
export class SyncFeed {
  readonly #tracker: SyncStatusTracker;
  /** Bytes on the wire since the start of the transport, in both directions. */
  readonly #bytes: () => number;
  readonly #nameByKey = new Map<string, string>();
  /** Names of peers that left, the newest last. */
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
      case 'up-to-date':
        this.#tracker.recordPeerSuccess(name);
        return this.countBytes();
      default:
        return;
    }
  }

  /** Adds the bytes that were exchanged since the last call to the totals. */
  countBytes(): void {
    this.#tracker.recordSync({ bytes: this.#newBytes() });
  }

  /** A peer is no longer expected: forgets it. */
  removed(deviceKey: string): void {
    const name = this.#nameByKey.get(deviceKey) ?? this.#formerByKey.get(deviceKey);
    this.#nameByKey.delete(deviceKey);
    this.#formerByKey.delete(deviceKey);
    this.#forget(name);
  }

  /** The session ended; `problem` says why, or is null for an ordinary end. */
  left(deviceKey: string, problem: string | null): void {
    const name = this.#nameByKey.get(deviceKey);
    if (name === undefined) return;
    this.#nameByKey.delete(deviceKey);
    this.#remember(deviceKey, name);
    this.#tracker.updatePeer(name, { isConnected: false });
    this.countBytes();
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
    const former = this.#nameByKey.get(deviceKey) ?? this.#formerByKey.get(deviceKey);
    this.#nameByKey.set(deviceKey, name);
    this.#formerByKey.delete(deviceKey);
    this.#tracker.updatePeer(name, { address, isConnected: true });
    // The node was given another name. Under the former one it would count as a peer that is away.
    if (former !== name) this.#forget(former);
  }

  /** Unless another node has that name, or had it when it left. */
  #forget(name: string | undefined): void {
    const names = [...this.#nameByKey.values(), ...this.#formerByKey.values()];
    if (name !== undefined && !names.includes(name)) this.#tracker.forgetPeer(name);
  }

  /** Bytes since the last call. A new transport counts from 0 again. */
  #newBytes(): number {
    const bytes = this.#bytes();
    const added = bytes >= this.#countedBytes ? bytes - this.#countedBytes : bytes;
    this.#countedBytes = bytes;
    return added;
  }
}
