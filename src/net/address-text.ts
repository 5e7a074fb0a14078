import type { Address } from './transport.ts';

/** `host:port`, with brackets around IPv6. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
