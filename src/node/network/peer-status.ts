import type { Channel } from '../../net/index.ts';
import type { Supervisor } from '../../net/peers/index.ts';
import type { PeerStatus } from '../node-api.ts';
import type { PeerRecord } from './peer-progress.ts';

/** What the supervisor, the sessions and the connection know of one peer, as screens show it. */
export function peerStatus(
  peer: ReturnType<Supervisor['status']>[number],
  record: PeerRecord | undefined,
  channel: Channel | undefined,
): PeerStatus {
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
    lastError: peer.lastError?.message ?? null,
  };
}
