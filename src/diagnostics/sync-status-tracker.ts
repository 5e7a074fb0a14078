import type { Clock } from '../core/clock/index.ts';
import { LIMITS } from '../core/config/index.ts';
import { type Logger, silentLogger } from '../core/logging/index.ts';

/** One peer, as it was when it was asked for: nothing changes in it later. */
export interface PeerInfo {
  readonly nodeId: string;
  /** As it was last given, `host:port`; empty: unknown. */
  readonly address: string;
  readonly isConnected: boolean;
  /** Wall clock of the last sign of life, ms. */
  readonly lastSeen: number;
  /** Wall clock since when it has been connected, ms; null: it is not. */
  readonly connectedSince: number | null;
  /** Wall clock of the last completed round with it, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  readonly successfulSyncs: number;
  readonly failedSyncs: number;
}

/** Something that went wrong between this node and others. */
export interface SyncErrorInfo {
  /** Wall clock, ms. */
  readonly timestamp: number;
  readonly message: string;
  /** Null: no peer in particular. */
  readonly peerNodeId: string | null;
  readonly errorCode: string | null;
}

export interface SyncTotals {
  /** Versions of documents that were exchanged, both ways. */
  readonly documents: number;
  /** Bytes on the wire, both ways. */
  readonly bytes: number;
  /** Completed rounds. */
  readonly syncs: number;
  /** Errors recorded, those included that are no longer listed. */
  readonly errors: number;
}

export interface SyncStatus {
  /** True while at least one peer is connected. */
  readonly isOnline: boolean;
  /** Wall clock of the last completed round with any peer, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** Peers that are connected now. */
  readonly activePeers: readonly PeerInfo[];
  /** All peers that are remembered, connected or not. */
  readonly peers: readonly PeerInfo[];
  /** The newest errors, newest last. */
  readonly recentErrors: readonly SyncErrorInfo[];
  readonly totals: SyncTotals;
}

export interface SyncStatusTrackerOptions {
  readonly clock: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Errors that are listed. */
const RECENT_ERRORS_MAX = 50;

type Peer = { -readonly [Name in keyof PeerInfo]: PeerInfo[Name] };

/**
 * What is known of the exchange with other nodes. The sync engine feeds it; programs ask it. Remembered are `peersMax` peers
 * (the disconnected one unseen for longest goes first) and the newest 50 errors.
 */
export class SyncStatusTracker {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #peersByNode = new Map<string, Peer>();
  readonly #errors: SyncErrorInfo[] = [];
  readonly #listeners = new Set<(isOnline: boolean) => void>();
  readonly #totals = { documents: 0, bytes: 0, syncs: 0, errors: 0 };
  #lastSyncTime: number | null = null;
  #connected = 0;

  constructor({ clock, logger = silentLogger }: SyncStatusTrackerOptions) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** True while at least one peer is connected. */
  get isOnline(): boolean {
    return this.#connected > 0;
  }

  /** Called whenever `isOnline` has changed. Returns what ends the subscription. */
  onChange(listener: (isOnline: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a peer or refreshes what is known of it; `address` is kept where none is given. */
  updatePeer(nodeId: string, { address, isConnected }: { address?: string; isConnected: boolean }): void {
    const peer = this.#peer(nodeId);
    peer.lastSeen = this.#clock.now();
    if (address !== undefined) peer.address = address;
    if (isConnected === peer.isConnected) return;
    peer.isConnected = isConnected;
    peer.connectedSince = isConnected ? this.#clock.now() : null;
    this.#setConnected(this.#connected + (isConnected ? 1 : -1));
  }

  /** A peer that is not coming back. */
  forgetPeer(nodeId: string): void {
    const peer = this.#peersByNode.get(nodeId);
    if (peer?.isConnected) this.#setConnected(this.#connected - 1);
    this.#peersByNode.delete(nodeId);
  }

  /** A round with the peer is complete: this node holds what the peer holds. */
  recordPeerSuccess(nodeId: string): void {
    const peer = this.#peersByNode.get(nodeId);
    this.#lastSyncTime = this.#clock.now();
    this.#totals.syncs++;
    if (peer === undefined) return;
    peer.successfulSyncs++;
    peer.lastSeen = this.#lastSyncTime;
    peer.lastSyncTime = this.#lastSyncTime;
  }

  /** A round with the peer broke off. */
  recordPeerFailure(nodeId: string): void {
    const peer = this.#peersByNode.get(nodeId);
    if (peer !== undefined) peer.failedSyncs++;
  }

  /** Versions and bytes that were exchanged, to be added to the totals. */
  recordSync({ documents = 0, bytes = 0 }: { documents?: number; bytes?: number }): void {
    this.#totals.documents += documents;
    this.#totals.bytes += bytes;
  }

  recordError(message: string, peerNodeId: string | null = null, errorCode: string | null = null): void {
    this.#totals.errors++;
    this.#errors.push({ timestamp: this.#clock.now(), message, peerNodeId, errorCode });
    if (this.#errors.length > RECENT_ERRORS_MAX) this.#errors.shift();
  }

  /** A copy of everything. */
  getStatus(): SyncStatus {
    const peers = [...this.#peersByNode.values()].map((peer) => ({ ...peer }));
    return {
      isOnline: this.isOnline,
      lastSyncTime: this.#lastSyncTime,
      activePeers: peers.filter(({ isConnected }) => isConnected),
      peers,
      recentErrors: this.#errors.map((error) => ({ ...error })),
      totals: { ...this.#totals },
    };
  }

  #peer(nodeId: string): Peer {
    const held = this.#peersByNode.get(nodeId);
    if (held !== undefined) return held;
    if (this.#peersByNode.size >= LIMITS.peersMax) this.#makeRoom();
    const peer: Peer = {
      nodeId,
      address: '',
      isConnected: false,
      lastSeen: this.#clock.now(),
      connectedSince: null,
      lastSyncTime: null,
      successfulSyncs: 0,
      failedSyncs: 0,
    };
    this.#peersByNode.set(nodeId, peer);
    return peer;
  }

  #makeRoom(): void {
    const [first, ...others] = [...this.#peersByNode.values()].filter(({ isConnected }) => !isConnected);
    if (first === undefined) return;
    this.forgetPeer(others.reduce((oldest, peer) => (peer.lastSeen < oldest.lastSeen ? peer : oldest), first).nodeId);
  }

  #setConnected(connected: number): void {
    const wasOnline = this.isOnline;
    this.#connected = connected;
    if (this.isOnline === wasOnline) return;
    this.#logger.info({ isOnline: this.isOnline }, this.isOnline ? 'online: a peer is connected' : 'offline: no peer');
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.isOnline);
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the sync status threw');
      }
    }
  }
}
