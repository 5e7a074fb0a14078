import { createHash } from 'node:crypto';

/** A device with its places on two rings, as the hash of its key gives them: everybody computes the same. */
export interface MeshMember {
  readonly deviceKey: string;
  readonly firstRing: number;
  readonly secondRing: number;
}

export function toMeshMember(deviceKey: string): MeshMember {
  const digest = createHash('sha256').update(deviceKey).digest();
  return { deviceKey, firstRing: digest.readUIntBE(0, 6), secondRing: digest.readUIntBE(6, 6) };
}

/**
 * The devices that a node should be linked with: all of them up to `fullMeshNodesMax` nodes, itself included. Beyond, about
 * log2(n) + 2: its nearest neighbours in both directions on a hash ring, which alone make a connected graph that survives the
 * loss of any node, and the node opposite on a second, independent ring, which keeps ways short as a random link would
 * (Watts and Strogatz, 1998). The choice is symmetric: who is chosen chooses back, so that both ends agree to keep a link,
 * and no node is chosen by many. Nodes whose views differ still overlap in most of their choices.
 */
export function chooseLinks(
  own: MeshMember,
  others: readonly MeshMember[],
  fullMeshNodesMax: number,
): ReadonlySet<string> {
  const members = [own, ...others];
  if (members.length <= fullMeshNodesMax) return new Set(others.map((member) => member.deviceKey));
  const chosen = new Set<string>();

  const first = sortedBy(members, (member) => member.firstRing);
  const reach = Math.floor((Math.round(Math.log2(members.length)) + 1) / 2);
  for (let distance = 1; distance <= reach; distance++) addBothSides(chosen, first, own, distance);

  const second = sortedBy(members, (member) => member.secondRing);
  addBothSides(chosen, second, own, Math.floor(members.length / 2));
  chosen.delete(own.deviceKey);
  return chosen;
}

function sortedBy(members: readonly MeshMember[], place: (member: MeshMember) => number): MeshMember[] {
  return [...members].sort((a, b) => place(a) - place(b) || (a.deviceKey < b.deviceKey ? -1 : 1));
}

function addBothSides(chosen: Set<string>, ring: readonly MeshMember[], own: MeshMember, distance: number): void {
  const at = ring.indexOf(own);
  chosen.add(ring[(at + distance) % ring.length]!.deviceKey);
  chosen.add(ring[(at - distance + ring.length) % ring.length]!.deviceKey);
}
