import type { Clock } from '../core/clock/index.ts';
import { type Limits, TIMES } from '../core/config/index.ts';

/** Why two nodes cannot sync until somebody changes something on one of them. */
export type RefusalCause = 'other-token' | 'no-entgldb' | 'other-protocol';

/** A node that would sync with this one, or this one with it, and cannot. */
export interface PeerRefusal {
  /** Address of the other's machine. */
  readonly host: string;
  /** Its `TcpPort`. Null: it dialled this node, so the port that it listens on is unknown. */
  readonly port: number | null;
  readonly cause: RefusalCause;
  /** True: no connection was tried; only its beacons are heard, and it may belong to another cluster on purpose. */
  readonly isOnlyHeard: boolean;
  /** Wall clock when it was first met, ms. */
  readonly firstSeen: number;
  /** Wall clock when it was last met, ms. */
  readonly lastSeen: number;
  /** How many connections failed. */
  readonly tries: number;
}

export interface Refused {
  readonly host: string;
  readonly port: number | null;
  readonly cause: RefusalCause;
  /** Default false. */
  readonly isOnlyHeard?: boolean;
}

interface Entry extends Refused {
  readonly firstSeen: number;
  lastSeen: number;
  /** Monotonic, ms. */
  lastAt: number;
  tries: number;
}

/**
 * Remembers refused nodes until they connect. A node that tried is forgotten after `refusalForgetMs`, one that is only heard after
 * `beaconExpiryMs`. At most `refusalAddressesMax` are remembered; beyond that the one not met for longest is forgotten.
 */
export class PeerRefusals {
  readonly #clock: Clock;
  readonly #limits: Pick<Limits, 'refusalAddressesMax'>;
  /** In order of the last meeting, the longest ago first. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, limits: Pick<Limits, 'refusalAddressesMax'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** A node was refused, or heard, once more. */
  refused(refused: Refused): void {
    const { host, port, cause, isOnlyHeard = false } = refused;
    const id = `${cause} ${isOnlyHeard} ${port ?? ''} ${host}`;
    const wallMs = this.#clock.now();
    const entry = this.#entries.get(id) ?? { ...refused, firstSeen: wallMs, lastSeen: 0, lastAt: 0, tries: 0 };
    entry.lastSeen = wallMs;
    entry.lastAt = this.#clock.monotonic();
    if (!isOnlyHeard) entry.tries++;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    if (this.#entries.size > this.#limits.refusalAddressesMax) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /**
   * A connection exists, made by this node (`port`) or by the other (null), or a beacon was understood. `hasGreeted` false: the
   * node holds the token, but whether the two speak the same protocol is not known yet.
   */
  connected({ host, port, hasGreeted }: { host: string; port: number | null; hasGreeted: boolean }): void {
    for (const [id, entry] of this.#entries)
      if (
        entry.host === host &&
        (entry.port === port || entry.port === null) &&
        (hasGreeted || entry.cause !== 'other-protocol')
      )
        this.#entries.delete(id);
  }

  /** One refusal for each address and cause, the newest last. */
  list(): PeerRefusal[] {
    const now = this.#clock.monotonic();
    for (const [id, { lastAt, isOnlyHeard }] of this.#entries)
      if (now - lastAt >= (isOnlyHeard ? TIMES.beaconExpiryMs : TIMES.refusalForgetMs)) this.#entries.delete(id);
    const entries = [...this.#entries.values()];
    return entries
      .filter((entry) => !entries.some((other) => saysMore(other, entry)))
      .map(({ host, port, cause, isOnlyHeard = false, firstSeen, lastSeen, tries }) => {
        return { host, port, cause, isOnlyHeard, firstSeen, lastSeen, tries };
      });
  }
}

/** Whether `other` is the same node and says more: an entry with a port says more than one without, a tried one more than a heard one. */
function saysMore(other: Entry, entry: Entry): boolean {
  if (other === entry || other.host !== entry.host || other.cause !== entry.cause) return false;
  if (entry.isOnlyHeard) return !other.isOnlyHeard && (other.port === null || other.port === entry.port);
  return entry.port === null && other.port !== null && !other.isOnlyHeard;
}
