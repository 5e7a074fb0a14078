import type { Address } from '../transport.ts';
import type { Link } from './link-table.ts';
import type { MeshMember } from './mesh.ts';

/** A peer to link with: an address from the configuration, or a device that discovery has heard. */
export interface Target {
  /** `known` (configured): dialled for ever. `discovered`: dialled while the mesh wants it. */
  readonly kind: 'known' | 'discovered';
  /** Nearest first. */
  addresses: readonly Address[];
  /** For a known peer, the device that last answered there; undefined before one has. */
  deviceKey: string | undefined;
  /** Its place in the mesh according to its last beacon; undefined for known peers, which are linked whatever the mesh says. */
  member: MeshMember | undefined;
  /** Failed rounds in a row, with which the back-off grows. */
  failures: number;
  /** Rounds of dialling since the last link. */
  attempts: number;
  /** Monotonic time before which it is not dialled. */
  dueAt: number;
  /** The last link that dialling it made. */
  link: Link | undefined;
  /** Monotonic time before which it is not dialled while its device is linked in another way; for known peers. */
  probeAt: number;
  /** Set while it is being dialled. */
  round: AbortController | undefined;
  /** The address is this node's own. It is not dialled until the network changes. */
  isSelf: boolean;
  /** When discovery stopped hearing it, monotonic ms; undefined while it is heard, and for known peers. */
  lostAt: number | undefined;
  hasBeenLinked: boolean;
  /** When dialling first failed since the last link, monotonic ms; undefined: it has not. */
  failingSince: number | undefined;
  /** Human name from its last greeting; null: it has not greeted yet. */
  node: string | null;
  /** It has sent a greeting before, so the two can talk to each other. */
  hasGreeted: boolean;
  /** Someone answered there, but refused the handshake or closed the link before greeting. */
  isTurnedAway: boolean;
  lastError: PeerError | null;
  /** Wall clock at the last change of state, ms. */
  sinceMs: number;
}

export interface PeerError {
  readonly message: string;
  /** Code and reason of the error, or null if a channel was closed. */
  readonly code: string | null;
  readonly reason: string | null;
  /** Wall clock, ms. */
  readonly atMs: number;
}

/** A peer as `status` reports it. */
export interface PeerStatus {
  /** Null for a configured address that has not answered yet. */
  readonly deviceKey: string | null;
  /** Human name of the peer while it is linked and has greeted; otherwise null. */
  readonly node: string | null;
  readonly address: Address;
  /**
   * `connected`: linked. `connecting`: being dialled. `waiting`: waits for its back-off or its turn. `idle`: not linked, because
   * the mesh reaches it through other nodes. `self`: the address is this node's own.
   */
  readonly state: 'connected' | 'connecting' | 'waiting' | 'idle' | 'self';
  /** Wall clock at the last change of state, ms. */
  readonly sinceMs: number;
  /** Rounds of dialling since the last link. */
  readonly attempts: number;
  readonly lastError: PeerError | null;
  /** How this node knows of it. */
  readonly origin: 'known' | 'discovered' | 'incoming';
}

export function createTarget(
  kind: Target['kind'],
  addresses: readonly Address[],
  member: MeshMember | undefined,
  nowMs: number,
  wallMs: number,
): Target {
  return {
    kind,
    addresses,
    deviceKey: member?.deviceKey,
    member,
    failures: 0,
    attempts: 0,
    dueAt: nowMs,
    link: undefined,
    probeAt: nowMs,
    round: undefined,
    isSelf: false,
    lostAt: undefined,
    hasBeenLinked: false,
    failingSince: undefined,
    node: null,
    hasGreeted: false,
    isTurnedAway: false,
    lastError: null,
    sinceMs: wallMs,
  };
}
