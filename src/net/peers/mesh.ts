import { createHash } from 'node:crypto';

/** A device and its places on two rings. They come from the hash of its key, so every node computes the same. */
export interface MeshMember {
  readonly deviceKey: string;
  readonly firstRing: number;
  readonly secondRing: number;
  /** It keeps every collection, so it passes on what others wrote in any of them. */
  readonly relaysAll: boolean;
}

/** How many relaying nodes a node that keeps only some collections is linked with: two of them may be absent. */
const RELAYS_OF_PARTIAL = 3;

export function toMeshMember(deviceKey: string, relaysAll: boolean): MeshMember {
  const digest = createHash('sha256').update(deviceKey).digest();
  return { deviceKey, firstRing: digest.readUIntBE(0, 6), secondRing: digest.readUIntBE(6, 6), relaysAll };
}

/**
 * The devices that a node should be linked with. Up to `fullMeshNodesMax` nodes, itself included, these are all. In a larger
 * network, any two nodes that keep a collection must be joined by nodes that keep it too, because a node relays only what it
 * keeps. So the relaying nodes form a mesh of their own, and each other node is linked with the three relaying nodes that
 * follow it on the first ring, or with all if there are fewer. If no node relays everything, all are linked with all, within
 * the limit on links.
 *
 * The choice is symmetric: a chosen node chooses back, so both ends agree to keep a link. Nodes whose views differ still
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
 * About log2(n) + 2 members: the nearest neighbours in both directions on a hash ring, and the member opposite on a second,
 * independent ring. The neighbours alone make a connected graph that survives the loss of any one node. The opposite member
 * keeps paths short, as a random link would (Watts and Strogatz, 1998). No member is chosen by many.
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

/** The relaying nodes that follow `partial` on the first ring; `relays` is sorted by it. */
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
