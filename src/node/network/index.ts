export type { FollowedPeer } from './followed-peer.ts';
export type { NetworkOptions } from './network-options.ts';
export { type NetworkDeps, NetworkService } from './network-service.ts';
export { PeerProgress, type PeerRecord } from './peer-progress.ts';
