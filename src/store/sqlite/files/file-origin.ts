import { closeSync, existsSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { textSum } from './text-sum.ts';

/** Offset in the marker file, in a sector of its own, so that writing it cannot damage the rest. */
const ORIGIN_AT = 1024;
const ORIGIN_BYTES = 64;
/** Of the record that follows in the same sector. */
const OTHERS_BYTES = 128;

/**
 * The origin is a name that a main file gets when it is made or takes a new identity, and that the marker beside it repeats.
 * If the two differ, somebody put another main file here, and the log beside it is not its own. Generations alone can
 * coincide.
 *
 * While a file takes a new identity, the marker has several: until the main file is durable, its pages may name the new origin or one
 * before. The first is the last that was durable. Empty: not known.
 */
export function readOrigins(markerPath: string): readonly string[] {
  if (!existsSync(markerPath)) return [];
  const bytes = Buffer.alloc(ORIGIN_BYTES + OTHERS_BYTES);
  const file = openSync(markerPath, 'r');
  try {
    readSync(file, bytes, 0, bytes.length, ORIGIN_AT);
  } finally {
    closeSync(file);
  }
  const origin = readRecord(bytes.subarray(0, ORIGIN_BYTES), 'origin');
  if (origin === undefined) return [];
  const others = readRecord(bytes.subarray(ORIGIN_BYTES), 'others');
  return [origin, ...(others?.split(',') ?? [])];
}

/** Not synced: a marker without an origin tells less, but nothing wrong. */
export function writeOrigin(markerPath: string, origin: string): void {
  writeRecords(markerPath, record('origin', origin, ORIGIN_BYTES) + ' '.repeat(OTHERS_BYTES), false);
}

/** To be called before the main file may get another origin than the first of these, at most three. Durable on return. */
export function writeOrigins(markerPath: string, [origin, ...others]: readonly [string, ...string[]]): void {
  const text = record('origin', origin, ORIGIN_BYTES) + record('others', others.join(','), OTHERS_BYTES);
  writeRecords(markerPath, text, true);
}

/** Whether the origins of the marker are known, and this one is another. */
export function isOtherOrigin(origin: string | undefined, known: readonly string[]): boolean {
  return origin !== undefined && known.length > 0 && !known.includes(origin);
}

function readRecord(bytes: Buffer, wanted: string): string | undefined {
  const [name, text = '', sum] = bytes.toString('latin1').trim().split(' ');
  return name === wanted && sum === textSum(text) ? text : undefined;
}

function record(name: string, text: string, bytes: number): string {
  return `${name} ${text} ${textSum(text)}`.padEnd(bytes - 1).concat('\n');
}

function writeRecords(markerPath: string, text: string, isDurable: boolean): void {
  const file = openSync(markerPath, 'r+');
  try {
    writeSync(file, text, ORIGIN_AT);
    if (isDurable) fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}
