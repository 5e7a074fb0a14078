import type { Random } from '../core/ids/index.ts';

/** A random source that gives the same sequence for the same seed, on every machine. Not for secrets. */
export interface SeededRandom extends Random {
  /** An integer from `min` to `max`, inclusive. */
  integer(min: number, max: number): number;
  /** One of the items. Throws RangeError if there is none. */
  pick<T>(items: readonly T[]): T;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** An independent source, so that one part of a test can draw more without changing what another draws. */
  fork(): SeededRandom;
}

/** Creates a seeded source: sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32. */
export function createSeededRandom(seed: number): SeededRandom {
  let mixed = seed | 0;
  const seedWord = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let word = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return word ^ (word >>> 15);
  };
  let a = seedWord();
  let b = seedWord();
  let c = seedWord() ^ Math.floor(seed / 2 ** 32);
  let counter = 1;

  const word = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) word();

  const next = (): number => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let i = 0, bits = 0; i < count; i++, bits >>>= 8) {
        if (i % 4 === 0) bits = word();
        bytes[i] = bits & 0xff;
      }
      return bytes;
    },
    pick(items) {
      if (items.length === 0) throw new RangeError('there is nothing to pick from');
      return items[integer(0, items.length - 1)]!;
    },
    chance: (probability) => next() < probability,
    fork: () => createSeededRandom(word() + word() * 2 ** 20),
  };
}
