import type { Clock } from '../core/clock/index.ts';
import { LIMITS } from '../core/config/index.ts';
import { type Logger, silentLogger } from '../core/logging/index.ts';
import { guardCallers } from '../core/options/index.ts';

/** One peer, as a copy of the moment when it was requested. */
export interface PeerInfo {
  readonly nodeId: string;
  /** Last known address, `host:port`; empty: unknown. */
  readonly address: string;
  readonly isConnected: boolean;
  /** Wall clock of the last sign of life, ms. */
  readonly lastSeen: number;
  /** Wall clock since when it has been connected, ms; null if it is not connected. */
  readonly connectedSince: number | null;
  /** Wall clock of the last completed round with it, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** Completed rounds. */
  readonly successfulSyncs: number;
  /** Failures recorded with `recordPeerFailure`. */
  readonly failedSyncs: number;
}

/** An error between this node and others. */
export interface SyncErrorInfo {
  /** Wall clock, ms. */
  readonly timestamp: number;
  readonly message: string;
  /** The peer concerned; null: no particular one. */
  readonly peerNodeId: string | null;
  /** Code of the error; null if it has none. */
  readonly errorCode: string | null;
}

/** Totals since the tracker was created. */
export interface SyncTotals {
  /** Versions of documents exchanged, in both directions. */
  readonly documents: number;
  /** Bytes on the wire, in both directions. */
  readonly bytes: number;
  /** Completed rounds. */
  readonly syncs: number;
  /** Recorded errors, including those that are no longer listed. */
  readonly errors: number;
}

/** The sync of this node with others at one moment. */
export interface SyncStatus {
  /** True while at least one peer is connected. */
  readonly isOnline: boolean;
  /** Wall clock of the last completed round with any peer, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** Peers that are connected. */
  readonly activePeers: readonly PeerInfo[];
  /** All remembered peers, connected or not. */
  readonly peers: readonly PeerInfo[];
  /** The newest 50 errors, newest last. */
  readonly recentErrors: readonly SyncErrorInfo[];
  readonly totals: SyncTotals;
}

export interface SyncStatusTrackerOptions {
  readonly clock: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** How many errors are listed. */
const RECENT_ERRORS_MAX = 50;

type Peer = { -readonly [Name in keyof PeerInfo]: PeerInfo[Name] };

/**
 * What is known of the exchange with other nodes. The sync engine feeds it, programs read it. It remembers `peersMax` peers
 * (the disconnected one unseen for longest is forgotten first) and the newest 50 errors.
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

  /** Calls `listener` whenever `isOnline` has changed. Returns a function that ends the subscription. */
  onChange(listener: (isOnline: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a peer or updates what is known of it; without `address` the old one is kept. */
  updatePeer(nodeId: string, { address, isConnected }: { address?: string; isConnected: boolean }): void {
    const peer = this.#peer(nodeId);
    peer.lastSeen = this.#clock.now();
    if (address !== undefined) peer.address = address;
    if (isConnected === peer.isConnected) return;
    peer.isConnected = isConnected;
    peer.connectedSince = isConnected ? this.#clock.now() : null;
    this.#setConnected(this.#connected + (isConnected ? 1 : -1));
  }

  /** Forgets a peer that is not coming back. */
  forgetPeer(nodeId: string): void {
    const peer = this.#peersByNode.get(nodeId);
    if (peer?.isConnected) this.#setConnected(this.#connected - 1);
    this.#peersByNode.delete(nodeId);
  }

  /** Records a completed round with a peer: this node holds what the peer holds. */
  recordPeerSuccess(nodeId: string): void {
    const peer = this.#peersByNode.get(nodeId);
    this.#lastSyncTime = this.#clock.now();
    this.#totals.syncs++;
    if (peer === undefined) return;
    peer.successfulSyncs++;
    peer.lastSeen = this.#lastSyncTime;
    peer.lastSyncTime = this.#lastSyncTime;
  }

  /** Records that a link with a peer broke off. */
  recordPeerFailure(nodeId: string): void {
    const peer = this.#peersByNode.get(nodeId);
    if (peer !== undefined) peer.failedSyncs++;
  }

  /** Adds exchanged versions and bytes to the totals. */
  recordSync({ documents = 0, bytes = 0 }: { documents?: number; bytes?: number }): void {
    this.#totals.documents += documents;
    this.#totals.bytes += bytes;
  }

  /** Records an error, with the peer and the error code if they are known. */
  recordError(message: string, peerNodeId: string | null = null, errorCode: string | null = null): void {
    this.#totals.errors++;
    this.#errors.push({ timestamp: this.#clock.now(), message, peerNodeId, errorCode });
    if (this.#errors.length > RECENT_ERRORS_MAX) this.#errors.shift();
  }

  /** A copy of the present status. */
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

guardCallers(SyncStatusTracker.prototype, { onChange: 'throws' });
