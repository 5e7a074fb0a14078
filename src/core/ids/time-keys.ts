import type { Random } from './random.ts';

const COUNTER_MAX = 0xfff;

/**
 * Makes UUIDs of version 7 (RFC 9562, 5.7) as lower-case text: 48 bits of milliseconds, 12 of a counter, 62 random ones.
 * Each is above the one before, also within a millisecond and when the clock goes back: for each millisecond the counter
 * begins at a random number in its lower half, and a full counter borrows the next millisecond (method 1 of 6.2).
 */
export class TimeKeys {
  readonly #now: () => number;
  readonly #random: Random;
  #ms = 0;
  #counter = 0;

  constructor(now: () => number, random: Random) {
    this.#now = now;
    this.#random = random;
  }

  next(): string {
    const bytes = Buffer.from(this.#random.bytes(10));
    const ms = Math.max(0, Math.floor(this.#now()));
    if (ms > this.#ms) this.#begin(ms, bytes);
    else if (++this.#counter > COUNTER_MAX) this.#begin(this.#ms + 1, bytes);
    const time = this.#ms.toString(16).padStart(12, '0');
    const counter = this.#counter.toString(16).padStart(3, '0');
    bytes[2] = 0x80 | (bytes[2]! & 0x3f);
    const rest = bytes.toString('hex', 2);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${rest.slice(0, 4)}-${rest.slice(4)}`;
  }

  #begin(ms: number, bytes: Uint8Array): void {
    this.#ms = ms;
    this.#counter = ((bytes[0]! << 8) | bytes[1]!) & (COUNTER_MAX >> 1);
  }
}
