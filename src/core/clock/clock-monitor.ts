/** What the wall clocks of the connected nodes say about ours. */
export interface ClockAssessment {
  /** How far the median of all clocks, ours included, is ahead of ours, ms. */
  readonly offsetMs: number;
  /** Largest difference between ours and any other clock, in either direction, ms. */
  readonly widestMs: number;
  /** Number of clocks compared, ours included. */
  readonly clocks: number;
  /** Whether ours is off: further than the allowed drift from the median of at least three clocks. */
  readonly isOff: boolean;
  /** Correction added to our wall clock when stamping, ms; 0 unless ours is off. */
  readonly correctionMs: number;
}

/** With fewer clocks, nobody can tell which one is wrong. */
const CLOCKS_MIN = 3;

/**
 * R10: a node whose clock differs too much from the median of at least three clocks corrects its stamps by that offset and
 * says so. With fewer clocks it only reports. Existing versions are never restamped, and no write ever waits for a clock.
 */
export class ClockMonitor {
  readonly #driftMsMax: number;
  /** Wall clock of each connected peer minus ours, ms, as last heard. */
  readonly #offsetsByPeer = new Map<string, number>();
  /** The `epochMs` of those offsets. */
  readonly #epochsByPeer = new Map<string, number>();

  constructor(driftMsMax: number) {
    this.#driftMsMax = driftMsMax;
  }

  /**
   * Records that a peer's clock is `offsetMs` ahead of ours. One entry per connected peer: `forget` it when it leaves. `epochMs` is
   * our wall clock minus our monotonic one: another one later means that our clock was set since.
   */
  observe(peer: string, offsetMs: number, epochMs: number): void {
    if (!Number.isFinite(offsetMs)) return;
    this.#offsetsByPeer.set(peer, offsetMs);
    this.#epochsByPeer.set(peer, epochMs);
  }

  forget(peer: string): void {
    this.#offsetsByPeer.delete(peer);
    this.#epochsByPeer.delete(peer);
  }

  /** Whether most of the clocks, ours included and at least two, agree with our corrected clock, which was not set since. */
  isConfirmed(epochMs: number): boolean {
    const { correctionMs, clocks } = this.assess();
    const isNear = (ms: number): boolean => Math.abs(ms) <= this.#driftMsMax;
    const agree = [...this.#offsetsByPeer].filter(
      ([peer, offsetMs]) => isNear(offsetMs - correctionMs) && isNear(epochMs - this.#epochsByPeer.get(peer)!),
    ).length;
    const ours = correctionMs === 0 ? 1 : 0;
    return agree > 0 && 2 * (agree + ours) > clocks;
  }

  assess(): ClockAssessment {
    const offsets = [0, ...this.#offsetsByPeer.values()].sort((a, b) => a - b);
    const offsetMs = lowerMedian(offsets);
    const isOff = offsets.length >= CLOCKS_MIN && Math.abs(offsetMs) > this.#driftMsMax;
    const widestMs = Math.max(Math.abs(offsets[0]!), Math.abs(offsets.at(-1)!));
    return { offsetMs, widestMs, clocks: offsets.length, isOff, correctionMs: isOff ? offsetMs : 0 };
  }
}

/** Of the two middle values of an even number, the one nearer to zero: no correction without a majority for it. */
function lowerMedian(sorted: readonly number[]): number {
  const upper = sorted[sorted.length >> 1]!;
  const lower = sorted[(sorted.length - 1) >> 1]!;
  return Math.abs(lower) <= Math.abs(upper) ? lower : upper;
}
