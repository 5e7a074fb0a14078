import type { Clock } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import { isLoopback } from './addresses.ts';

export type AdmissionLimits = Pick<
  Limits,
  | 'handshakesPendingMax'
  | 'handshakesPerAddressMax'
  | 'acceptsPerSecondMax'
  | 'acceptsPerSecondLoopbackMax'
  | 'acceptAddressesMax'
>;

const SECOND_MS = 1000;
const OTHERS = 'others';

/** A connection whose other end has proven nothing yet. */
export interface PendingConnection {
  readonly host: string;
  /** Ends the connection; its place is already free. */
  evict(): void;
}

/**
 * Admission in front of TLS, whose handshake costs a stranger nothing and us half a millisecond. It bounds the connections
 * per second and pending from one address, and the pending ones in total. When all places are taken, the oldest pending
 * connection makes room instead of the new one being refused. So a flood cannot lock out members, which need milliseconds.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #limits: AdmissionLimits;
  /** In the order of arrival. */
  readonly #pending = new Set<PendingConnection>();
  #counts = new Map<string, number>();
  #secondFrom = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, limits: AdmissionLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Takes a place for the connection; false: refuse it. Give every place back with `leave`. */
  enter(connection: PendingConnection): boolean {
    if (!this.#isWithinRate(connection.host) || this.#isCrowding(connection.host)) return false;
    if (this.#pending.size >= this.#limits.handshakesPendingMax) this.#evictOldest();
    this.#pending.add(connection);
    return true;
  }

  /** May be called any number of times. */
  leave(connection: PendingConnection): void {
    this.#pending.delete(connection);
  }

  evictAll(): void {
    while (this.#pending.size > 0) this.#evictOldest();
  }

  #isWithinRate(host: string): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#secondFrom >= SECOND_MS) {
      this.#counts = new Map();
      this.#secondFrom = now;
    }
    const hasRoom = this.#counts.has(host) || this.#counts.size < this.#limits.acceptAddressesMax;
    const counted = hasRoom ? host : OTHERS;
    const count = (this.#counts.get(counted) ?? 0) + 1;
    this.#counts.set(counted, count);
    const { acceptsPerSecondMax, acceptsPerSecondLoopbackMax } = this.#limits;
    return count <= (isLoopback(host) ? acceptsPerSecondLoopbackMax : acceptsPerSecondMax);
  }

  #isCrowding(host: string): boolean {
    if (isLoopback(host)) return false;
    let count = 0;
    for (const pending of this.#pending) if (pending.host === host) count++;
    return count >= this.#limits.handshakesPerAddressMax;
  }

  #evictOldest(): void {
    const [oldest] = this.#pending;
    if (oldest === undefined) return;
    this.#pending.delete(oldest);
    oldest.evict();
  }
}
