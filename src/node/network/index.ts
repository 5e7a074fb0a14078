export type { FollowedPeer } from './followed-peer.ts';
export type { NetworkOptions, NetworkSettings } from './network-options.ts';
export { NetworkService } from './network-service.ts';
export type { PeerStatus } from './peer-status.ts';
