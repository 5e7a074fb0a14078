import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { textSum } from './text-sum.ts';

/** Offset in the marker file, in a sector of its own, so that writing it cannot damage the rest. */
const ORIGIN_AT = 1024;
const ORIGIN_BYTES = 64;

/**
 * The origin is a name that a main file gets when it is made or takes a new identity, and that the marker beside it repeats.
 * If the two differ, somebody put another main file here, and the log beside it is not its own. Generations alone can
 * coincide.
 */
export function readOrigin(markerPath: string): string | undefined {
  if (!existsSync(markerPath)) return undefined;
  const bytes = Buffer.alloc(ORIGIN_BYTES);
  const file = openSync(markerPath, 'r');
  try {
    readSync(file, bytes, 0, ORIGIN_BYTES, ORIGIN_AT);
  } finally {
    closeSync(file);
  }
  const [name, origin = '', sum] = bytes.toString('latin1').trim().split(' ');
  return name === 'origin' && sum === textSum(origin) ? origin : undefined;
}

/** Not synced: a marker without an origin tells less, but nothing wrong. */
export function writeOrigin(markerPath: string, origin: string): void {
  const file = openSync(markerPath, 'r+');
  try {
    writeSync(file, `origin ${origin} ${textSum(origin)}`.padEnd(ORIGIN_BYTES - 1).concat('\n'), ORIGIN_AT);
  } finally {
    closeSync(file);
  }
}

/** Whether both are known and differ. */
export function isOtherOrigin(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}
