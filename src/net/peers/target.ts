import type { Address } from '../transport.ts';
import type { MeshMember } from './mesh.ts';

/** Somebody to be linked with: an address from the configuration, or a device that discovery has heard. */
export interface Target {
  /** Configured: dialled for ever. Discovered: while the mesh wants it. */
  readonly kind: 'known' | 'discovered';
  /** Nearest first. */
  addresses: readonly Address[];
  /** Of a known peer: whoever answered there last, and undefined before. */
  deviceKey: string | undefined;
  /** Place in the mesh, as its last beacon gave it; known peers are linked whatever the mesh says. */
  member: MeshMember | undefined;
  /** Failed rounds in a row: what the back-off grows with. */
  failures: number;
  /** Rounds of dialling since the last link. */
  attempts: number;
  /** Monotonic time before which it is not dialled. */
  dueAt: number;
  /** Set while it is being dialled. */
  round: AbortController | undefined;
  /** This very node answers there. Not dialled until the network changes. */
  isSelf: boolean;
  /** When discovery stopped hearing it, monotonic; undefined while it is heard, and for known peers. */
  lostAt: number | undefined;
  hasBeenLinked: boolean;
  /** It has greeted: the two understand each other. */
  hasGreeted: boolean;
  /** Somebody answers there, and refused the handshake or closed the link before greeting. */
  isTurnedAway: boolean;
  lastError: PeerError | null;
  /** Wall clock at the last change of state, ms. */
  sinceMs: number;
}

export interface PeerError {
  readonly message: string;
  /** Error code and reason, or null for a channel that was closed. */
  readonly code: string | null;
  readonly reason: string | null;
  /** Wall clock, ms. */
  readonly atMs: number;
}

/** A peer as `status` shows it. */
export interface PeerStatus {
  /** Null for a configured address where nobody has answered yet. */
  readonly deviceKey: string | null;
  /** Human name, once its greeting has told it. */
  readonly node: string | null;
  readonly address: Address;
  /**
   * `connected`; `connecting`: being dialled; `waiting`: for its back-off or its turn; `idle`: the mesh reaches it through
   * others; `self`: the address is this node's own.
   */
  readonly state: 'connected' | 'connecting' | 'waiting' | 'idle' | 'self';
  /** Wall clock of the last change of state, ms. */
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
    round: undefined,
    isSelf: false,
    lostAt: undefined,
    hasBeenLinked: false,
    hasGreeted: false,
    isTurnedAway: false,
    lastError: null,
    sinceMs: wallMs,
  };
}
