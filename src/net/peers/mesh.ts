import { createHash } from 'node:crypto';

/** A device with its places on two rings, as the hash of its key gives them: everybody computes the same. */
export interface MeshMember {
  readonly deviceKey: string;
  readonly firstRing: number;
  readonly secondRing: number;
  /** It keeps every collection, and so passes on what others wrote in any. */
  readonly relaysAll: boolean;
}

/** Relaying nodes that a node which keeps only some collections is linked with: two of them may be away. */
const RELAYS_OF_PARTIAL = 3;

export function toMeshMember(deviceKey: string, relaysAll: boolean): MeshMember {
  const digest = createHash('sha256').update(deviceKey).digest();
  return { deviceKey, firstRing: digest.readUIntBE(0, 6), secondRing: digest.readUIntBE(6, 6), relaysAll };
}

/**
 * The devices that a node should be linked with: all of them up to `fullMeshNodesMax` nodes, itself included. Beyond, any two
 * nodes that keep a collection must be joined by nodes that keep it too, since a node relays only what it keeps: the relaying
 * nodes make a mesh of their own, and each of the others is linked with the three of them that follow it on the first ring, or
 * all if there are fewer. Where nobody relays everything, all are linked with all, as far as the bounds on links go.
 *
 * The choice is symmetric: who is chosen chooses back, so that both ends agree to keep a link. Nodes whose views differ still
 * overlap in most of their choices.
 */
export function chooseLinks(
  own: MeshMember,
  others: readonly MeshMember[],
  fullMeshNodesMax: number,
): ReadonlySet<string> {
  const members = [own, ...others];
  const relays = sortedBy(members, firstRingOf).filter((member) => member.relaysAll);
  if (members.length <= fullMeshNodesMax || relays.length === 0) return keysOf(others);
  if (!own.relaysAll) return keysOf(relaysAfter(own, relays));

  const chosen = relays.length <= fullMeshNodesMax ? keysOf(relays) : chooseOnRings(own, relays);
  for (const partial of others)
    if (!partial.relaysAll && relaysAfter(partial, relays).includes(own)) chosen.add(partial.deviceKey);
  chosen.delete(own.deviceKey);
  return chosen;
}

/**
 * About log2(n) + 2 members: the nearest neighbours in both directions on a hash ring, which alone make a connected graph that
 * survives the loss of any node, and the member opposite on a second, independent ring, which keeps ways short as a random
 * link would (Watts and Strogatz, 1998). No member is chosen by many.
 */
function chooseOnRings(own: MeshMember, members: readonly MeshMember[]): Set<string> {
  const chosen = new Set<string>();
  const first = sortedBy(members, firstRingOf);
  const reach = Math.floor((Math.round(Math.log2(members.length)) + 1) / 2);
  for (let distance = 1; distance <= reach; distance++) addBothSides(chosen, first, own, distance);

  const second = sortedBy(members, (member) => member.secondRing);
  addBothSides(chosen, second, own, Math.floor(members.length / 2));
  return chosen;
}

/** The relaying nodes, sorted by the first ring, that come next to a place on it. */
function relaysAfter(partial: MeshMember, relays: readonly MeshMember[]): MeshMember[] {
  const next = relays.findIndex((relay) => relay.firstRing >= partial.firstRing);
  const start = Math.max(0, next);
  return [...relays.slice(start), ...relays.slice(0, start)].slice(0, RELAYS_OF_PARTIAL);
}

function firstRingOf(member: MeshMember): number {
  return member.firstRing;
}

function sortedBy(members: readonly MeshMember[], place: (member: MeshMember) => number): MeshMember[] {
  return [...members].sort((a, b) => place(a) - place(b) || (a.deviceKey < b.deviceKey ? -1 : 1));
}

function keysOf(members: readonly MeshMember[]): Set<string> {
  return new Set(members.map((member) => member.deviceKey));
}

function addBothSides(chosen: Set<string>, ring: readonly MeshMember[], own: MeshMember, distance: number): void {
  const at = ring.indexOf(own);
  chosen.add(ring[(at + distance) % ring.length]!.deviceKey);
  chosen.add(ring[(at - distance + ring.length) % ring.length]!.deviceKey);
}
