import { randomBytes } from 'node:crypto';
import type { Random } from '../core/ids/index.ts';

/** The real random source: cryptographic, for ids, tokens and jitter alike. */
export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  // 48 bits are more than any jitter needs and always below 1.
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
