export type { NetworkOptions } from './network-options.ts';
export { type FollowedPeer, type NetworkDeps, NetworkService } from './network-service.ts';
export { PeerProgress, type PeerRecord } from './peer-progress.ts';
