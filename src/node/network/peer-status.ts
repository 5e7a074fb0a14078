import type { DefinitionMismatch } from '../../core/replication/index.ts';
import type { Address, Channel } from '../../net/index.ts';
import type { Supervisor } from '../../net/peers/index.ts';
import type { SessionRunner } from '../../sync/index.ts';
import type { PeerProgress, PeerRecord } from './peer-progress.ts';

/** What this node knows of a peer. */
export interface PeerStatus {
  /** Human name of the peer; null: not known yet. */
  readonly nodeId: string | null;
  readonly address: Address;
  /** `waiting`: not connected, and no attempt is under way. */
  readonly state: 'connected' | 'connecting' | 'waiting';
  /** How this node knows it: from the configuration, from discovery, or because it dialled this node. */
  readonly source: 'configured' | 'discovered' | 'inbound';
  /** Wall clock when it was last heard, ms; null: never. */
  readonly lastSeen: number | null;
  /** Wall clock of its last claim or equal summary, ms; null: never. */
  readonly lastSyncTime: number | null;
  /** Time of the last ping, ms; null: none yet. */
  readonly roundTripMs: number | null;
  /** Bytes sent over the present connection; 0 without one. */
  readonly bytesSent: number;
  /** Bytes received over the present connection; 0 without one. */
  readonly bytesReceived: number;
  /** How its program defines collections differently from the one here; `theirs` is this peer's definition. */
  readonly definitionMismatches: readonly DefinitionMismatch[];
  /** Why the last attempt to connect failed or the last link ended; null: neither has happened. */
  readonly lastError: string | null;
}

type SupervisedPeer = ReturnType<Supervisor['status']>[number];

/** Joins what the supervisor, the sessions and the connections know of each peer. */
export function peerStatuses(
  peers: readonly SupervisedPeer[],
  progress: PeerProgress,
  sessions: Iterable<SessionRunner>,
): PeerStatus[] {
  const channels = new Map([...sessions].map(({ channel }) => [channel.peerKey, channel]));
  return peers
    .filter(({ state }) => state !== 'self')
    .map((peer) => {
      if (peer.deviceKey === null) return peerStatus(peer, undefined, undefined);
      return peerStatus(peer, progress.record(peer.deviceKey), channels.get(peer.deviceKey));
    });
}

function peerStatus(peer: SupervisedPeer, record: PeerRecord | undefined, channel: Channel | undefined): PeerStatus {
  return {
    nodeId: record?.node || peer.node,
    address: peer.address,
    state: peer.state === 'connected' || peer.state === 'connecting' ? peer.state : 'waiting',
    source: peer.origin === 'known' ? 'configured' : peer.origin === 'incoming' ? 'inbound' : 'discovered',
    lastSeen: record?.lastSeenMs ?? null,
    lastSyncTime: record?.lastSyncMs ?? null,
    roundTripMs: record?.roundTripMs ?? null,
    bytesSent: channel?.bytesSent ?? 0,
    bytesReceived: channel?.bytesReceived ?? 0,
    definitionMismatches: record?.mismatches ?? [],
    lastError: peer.lastError?.message ?? null,
  };
}
