/** A link that lasted this long was good, ms. */
export const GOOD_LINK_MS = 30_000;
/** So many shorter ones in a row are more than a restart, or a network that changes. */
const SHORT_LINKS_MAX = 5;
/** Ends that nodes bring about themselves. */
const ORDINARY_ENDS: ReadonlySet<string> = new Set([
  'busy',
  'closing',
  'identity',
  'removed',
  'restored',
  'self',
  'surplus',
]);

/**
 * Notices peers whose links end again and again soon after they began, although each connection gets through: so it looks where
 * only small packets pass, or where a line is far too slow.
 */
export class ShortLinks {
  readonly #devicesMax: number;
  readonly #countByDevice = new Map<string, number>();

  /** `devicesMax`: how many are remembered; beyond that, the one longest remembered is forgotten. */
  constructor(devicesMax: number) {
    this.#devicesMax = devicesMax;
  }

  /** A link has ended. Returns true once it has happened too often in a row. */
  ended(deviceKey: string, lastedMs: number, reason: string): boolean {
    if (ORDINARY_ENDS.has(reason)) return false;
    if (lastedMs >= GOOD_LINK_MS) {
      this.#countByDevice.delete(deviceKey);
      return false;
    }
    const count = (this.#countByDevice.get(deviceKey) ?? 0) + 1;
    this.#countByDevice.set(deviceKey, count);
    if (this.#countByDevice.size > this.#devicesMax)
      this.#countByDevice.delete(this.#countByDevice.keys().next().value!);
    return count === SHORT_LINKS_MAX;
  }

  /** Whether the last links with a device were all short. */
  isRestless(deviceKey: string): boolean {
    return (this.#countByDevice.get(deviceKey) ?? 0) >= SHORT_LINKS_MAX;
  }
}
