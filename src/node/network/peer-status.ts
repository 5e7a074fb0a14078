import type { DefinitionMismatch } from '../../core/replication/index.ts';
import type { Address, Channel } from '../../net/index.ts';
import type { Supervisor } from '../../net/peers/index.ts';
import type { SessionRunner } from '../../sync/index.ts';
import type { PeerProgress, PeerRecord } from './peer-progress.ts';

export interface PeerStatus {
  readonly nodeId: string | null;
  readonly address: Address;
  readonly state: 'connected' | 'connecting' | 'waiting';
  /** Who named it: the configuration, discovery, or it dialled us. */
  readonly source: 'configured' | 'discovered' | 'inbound';
  /** Wall clock, ms; null: never. */
  readonly lastSeen: number | null;
  readonly lastSyncTime: number | null;
  readonly roundTripMs: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** How its program defines collections otherwise than the one here: the node that reads `theirs` is this peer. */
  readonly definitionMismatches: readonly DefinitionMismatch[];
  /** Why the last attempt failed; null: it did not. */
  readonly lastError: string | null;
}

type SupervisedPeer = ReturnType<Supervisor['status']>[number];

/** What the supervisor, the sessions and the connections know of each peer, as screens show it. */
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
