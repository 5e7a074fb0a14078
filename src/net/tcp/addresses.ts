import { BlockList, isIP, isIPv6 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** True for 127.0.0.0/8, ::1 and the name `localhost`; any other name might lead elsewhere. */
export function isLoopback(host: string): boolean {
  const plain = plainHost(host);
  if (isIP(plain) === 0) return plain === 'localhost';
  return loopback.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** Unwraps an IPv4 address that a dual-stack socket reports as IPv6. */
export function plainHost(host: string): string {
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host;
}
