import { crc32 } from 'node:zlib';
import { DatabaseCorruptionError } from '../../../core/errors/index.ts';

/** CRC-32 over texts and numbers that no digest covers, so that a flipped bit is noticed. */
export function rowSum(...parts: readonly (string | number | null)[]): number {
  return crc32(parts.join('\u0000'));
}

/** Throws DATABASE_CORRUPT, naming `what`, unless the stored sum is the expected one. */
export function checkSum(stored: unknown, expected: number, what: string): void {
  if (stored !== expected) throw corruptRow(`${what} does not fit its sum`);
}

export function corruptRow(problem: string): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `${problem}; restore a backup with \`entgldb restore\`, or move the database away to fetch all from peers`,
  );
}

/** The same for a document's own columns. It runs for every row, so it does not build a text. */
export function columnsSum(
  pos: number,
  line: number | null,
  lineReplica: number | null,
  deadAt: number | null,
): number {
  let hash = mix(0, pos);
  hash = mix(hash, line === null ? -1 : line);
  hash = mix(hash, lineReplica === null ? -1 : lineReplica);
  return mix(hash, deadAt === null ? -1 : deadAt) >>> 0;
}

/** One round of MurmurHash3's body for each half of the number. */
function mix(hash: number, n: number): number {
  return round(round(hash, n | 0), Math.floor(n / 2 ** 32) | 0);
}

function round(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
