export { createDeviceKey, type DeviceKey, parseDeviceKey } from './device-key.ts';
export { type DialRefusal, dialTls } from './dial-tls.ts';
export { type ClusterKey, deriveClusterKey, fingerprintOf, loopbackKey } from './keys.ts';
export { createTlsTransport, type TlsTransport, type TlsTransportOptions } from './tls-transport.ts';
