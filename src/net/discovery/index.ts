export { BEACON_BYTES_MAX, type Beacon, decodeBeacon, encodeBeacon, findBeaconKey } from './beacon.ts';
export { type BeaconKey, beaconTag, deriveBeaconKey } from './beacon-key.ts';
export type { Datagram, DatagramPort, DatagramTarget, InterfaceState, Proximity } from './datagram-port.ts';
export {
  type DatagramCounts,
  Discovery,
  type DiscoveryDeps,
  type DiscoveryDescription,
  type DiscoveryOptions,
} from './discovery.ts';
export type { DiscoveredPeer, DiscoveryEvent } from './events.ts';
export { createUdpPort, type UdpPortOptions } from './udp.ts';
