export type { FollowedPeer } from './followed-peer.ts';
export type { NetworkDeps, NetworkOptions, NetworkSettings } from './network-options.ts';
export { NetworkService } from './network-service.ts';
export { PeerProgress, type PeerRecord } from './peer-progress.ts';
export type { PeerStatus } from './peer-status.ts';
