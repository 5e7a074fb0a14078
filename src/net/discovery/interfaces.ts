import type { NetworkInterfaceInfo } from 'node:os';
import type { Proximity } from './datagram-port.ts';

/** An IPv6 group of our own choice: transient and link-local (RFC 4291 §2.7), so that it never leaves the link. */
export const MULTICAST_GROUP = 'ff12::4542:6265:6163';
export const LOOPBACK_BROADCAST = '127.255.255.255';
const LIMITED_BROADCAST = '255.255.255.255';

/** One address of one interface, and where announcements go from it. */
export interface LocalAddress {
  readonly interfaceName: string;
  readonly family: 4 | 6;
  readonly address: string;
  readonly netmask: string;
  /** Empty if the address is left out; `reason` then says why. */
  readonly targets: readonly string[];
  readonly reason: string | null;
}

export interface InterfacePlanOptions {
  readonly localhostOnly: boolean;
  /** Windows numbers the scopes of IPv6 addresses; other systems name them. */
  readonly hasNumericScopes: boolean;
  /** How many addresses are used. The rest are left out, with that reason. */
  readonly interfacesMax: number;
}

/** What to do with each address that the system lists. Every address that is left out has a reason. */
export function planInterfaces(
  listed: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
  options: InterfacePlanOptions,
): LocalAddress[] {
  const all = Object.entries(listed).flatMap(([name, infos]) =>
    (infos ?? []).map((info) => planOne(name, info, options)),
  );
  let used = 0;
  return all.map((one) => {
    if (one.targets.length === 0 || used++ < options.interfacesMax) return one;
    return { ...one, targets: [], reason: `more than ${options.interfacesMax} interfaces` };
  });
}

function planOne(interfaceName: string, info: NetworkInterfaceInfo, options: InterfacePlanOptions): LocalAddress {
  const { address, netmask } = info;
  const family = info.family === 'IPv4' ? 4 : 6;
  const use = (targets: readonly string[]): LocalAddress => ({
    interfaceName,
    family,
    address,
    netmask,
    targets,
    reason: null,
  });
  const skip = (reason: string): LocalAddress => ({ ...use([]), reason });

  if (info.internal) return info.family === 'IPv4' ? use([LOOPBACK_BROADCAST]) : skip('loopback is served by IPv4');
  if (options.localhostOnly) return skip('LocalhostOnly is set');
  if (info.family === 'IPv6') {
    if (!isLinkLocal(address)) return skip('its link-local address is used instead');
    const scope = options.hasNumericScopes ? String(info.scopeid) : interfaceName;
    return use([`${MULTICAST_GROUP}%${scope}`]);
  }
  const directed = directedBroadcast(address, netmask);
  return directed === undefined ? skip('point-to-point, no broadcast address') : use([directed, LIMITED_BROADCAST]);
}

/** The broadcast address of the subnet; undefined for /31 and /32, which have none. */
export function directedBroadcast(address: string, netmask: string): string | undefined {
  const mask = toNumber(netmask);
  if (mask >= 0xfffffffe) return undefined;
  return toText((toNumber(address) | ~mask) >>> 0);
}

/** How near a source address is, judged from this host's own addresses. */
export function proximityOf(source: string, own: readonly LocalAddress[]): Proximity {
  if (source.startsWith('127.') || own.some((local) => local.address === withoutScope(source))) return 'host';
  if (source.includes(':')) return isLinkLocal(source) ? 'link' : 'far';
  const isNear = own.some(
    (local) =>
      local.family === 4 &&
      (toNumber(local.address) & toNumber(local.netmask)) === (toNumber(source) & toNumber(local.netmask)),
  );
  return isNear ? 'link' : 'far';
}

function withoutScope(address: string): string {
  return address.split('%', 1)[0]!;
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
