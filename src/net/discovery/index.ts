export { type BeaconKey, deriveBeaconKey } from './beacon-key.ts';
export type { Datagram, DatagramPort, DatagramTarget } from './datagram-port.ts';
export { Discovery } from './discovery.ts';
export type { DiscoveredPeer, DiscoveryEvent } from './events.ts';
export { createUdpPort } from './udp.ts';
