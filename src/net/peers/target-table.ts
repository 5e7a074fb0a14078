import { addressText } from '../address-text.ts';
import type { DiscoveredPeer } from '../discovery/index.ts';
import type { Address } from '../transport.ts';
import { chooseLinks, type MeshMember, toMeshMember } from './mesh.ts';
import { createTarget, type Target } from './target.ts';

/** How long a device that was linked is still dialled after it was last heard: datagrams may be blocked where TCP is not. */
const LOST_DIAL_MS = 600_000;
/** After this many failed rounds for a peer, the mesh also links the nodes that would be chosen without it. */
const STAND_IN_FAILURES = 3;

export interface TargetTableOptions {
  readonly ownKey: string;
  /** Whether this node keeps every collection at present. */
  readonly relaysAll: () => boolean;
  readonly fullMeshNodesMax: number;
  /** How many discovered devices are remembered. A newcomer beyond that replaces the one lost longest; if none is lost, it is ignored. */
  readonly peersMax: number;
  readonly isLinked: (deviceKey: string) => boolean;
}

/** Whom the supervisor should be linked with: the configured addresses, and those discovered devices that the mesh wants. */
export class TargetTable {
  readonly #options: TargetTableOptions;
  #own: MeshMember;
  readonly #known = new Map<string, Target>();
  readonly #discovered = new Map<string, Target>();
  #chosen: ReadonlySet<string> = new Set();

  constructor(options: TargetTableOptions) {
    this.#options = options;
    this.#own = toMeshMember(options.ownKey, options.relaysAll());
  }

  *all(): Generator<Target> {
    yield* this.#known.values();
    yield* this.#discovered.values();
  }

  *ofDevice(deviceKey: string): Generator<Target> {
    for (const target of this.#known.values()) if (target.deviceKey === deviceKey) yield target;
    const discovered = this.#discovered.get(deviceKey);
    if (discovered !== undefined) yield discovered;
  }

  discovered(deviceKey: string): Target | undefined {
    return this.#discovered.get(deviceKey);
  }

  addKnown(address: Address, nowMs: number, wallMs: number): void {
    const id = addressText(address);
    if (!this.#known.has(id)) this.#known.set(id, createTarget('known', [address], undefined, nowMs, wallMs));
  }

  /** Forgets configured addresses that are not among these and aborts their dials. Returns the forgotten targets. */
  keepKnown(addresses: readonly Address[]): Target[] {
    const kept = new Set(addresses.map(addressText));
    const gone = [...this.#known].filter(([id]) => !kept.has(id));
    for (const [id, target] of gone) {
      target.round?.abort(new Error('the peer is no longer configured'));
      this.#known.delete(id);
    }
    return gone.map(([, target]) => target);
  }

  /** The target of a device, created if necessary; undefined if there is no room. */
  addDiscovered(
    { deviceKey, addresses, relaysAll }: Pick<DiscoveredPeer, 'deviceKey' | 'addresses' | 'relaysAll'>,
    nowMs: number,
    wallMs: number,
  ): Target | undefined {
    const member = toMeshMember(deviceKey, relaysAll);
    const held = this.#discovered.get(deviceKey);
    if (held !== undefined) {
      held.addresses = addresses;
      held.member = member;
      return held;
    }
    if (this.#discovered.size >= this.#options.peersMax && !this.#dropLost()) return undefined;
    const target = createTarget('discovered', addresses, member, nowMs, wallMs);
    this.#discovered.set(deviceKey, target);
    return target;
  }

  /** Forgets devices that have been gone for too long, and recomputes which ones the mesh wants. */
  refresh(nowMs: number): void {
    const { isLinked, ownKey, relaysAll } = this.#options;
    this.#own = toMeshMember(ownKey, relaysAll());
    for (const [key, target] of this.#discovered) {
      if (target.lostAt === undefined || isLinked(key)) continue;
      if (target.hasBeenLinked && nowMs - target.lostAt < LOST_DIAL_MS) continue;
      target.round?.abort(new Error('the peer has gone'));
      this.#discovered.delete(key);
    }
    const present = [...this.#discovered.values()].filter((t) => t.lostAt === undefined || isLinked(t.deviceKey!));
    const reachable = present.filter((t) => t.failures < STAND_IN_FAILURES || isLinked(t.deviceKey!));
    const standIns = reachable.length < present.length ? this.#choose(reachable) : [];
    this.#chosen = new Set([...this.#choose(present), ...standIns]);
  }

  /** Whether a link with this device should exist, as far as this node can tell. */
  isWanted(deviceKey: string): boolean {
    for (const target of this.ofDevice(deviceKey)) {
      if (target.kind === 'known' || this.#chosen.has(deviceKey)) return true;
      // No longer heard, but linked before: the mesh choice does not cover it.
      if (target.lostAt !== undefined && target.hasBeenLinked) return true;
    }
    return false;
  }

  /** Whether this node hears a device, but the mesh reaches it through other nodes. */
  isSurplus(deviceKey: string): boolean {
    return (
      this.#discovered.get(deviceKey)?.lostAt === undefined &&
      this.#discovered.has(deviceKey) &&
      !this.isWanted(deviceKey)
    );
  }

  #choose(targets: readonly Target[]): ReadonlySet<string> {
    const members = targets.map((target) => target.member!);
    return chooseLinks(this.#own, members, this.#options.fullMeshNodesMax);
  }

  #dropLost(): boolean {
    let oldest: Target | undefined;
    for (const target of this.#discovered.values()) {
      if (target.lostAt === undefined || this.#options.isLinked(target.deviceKey!)) continue;
      if (oldest === undefined || target.lostAt < oldest.lostAt!) oldest = target;
    }
    if (oldest === undefined) return false;
    oldest.round?.abort(new Error('the peer has gone'));
    return this.#discovered.delete(oldest.deviceKey!);
  }
}
