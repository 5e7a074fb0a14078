import type { Channel } from '../../net/index.ts';
import type { Supervisor } from '../../net/peers/index.ts';
import type { SessionRunner } from '../../sync/index.ts';
import type { PeerStatus } from '../node-api.ts';
import type { PeerProgress, PeerRecord } from './peer-progress.ts';

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
