export { isLoopback } from './addresses.ts';
export { createDeviceKey, type DeviceKey, parseDeviceKey } from './device-key.ts';
export { type DialRefusal, dialTls } from './dial-tls.ts';
export { type ClusterKey, createToken, deriveClusterKey, fingerprintOf, loopbackKey, TOKEN_CHARS_MIN } from './keys.ts';
export {
  createTlsTransport,
  type TlsTransport,
  type TlsTransportLimits,
  type TlsTransportOptions,
  type TransportCounts,
} from './tls-transport.ts';
