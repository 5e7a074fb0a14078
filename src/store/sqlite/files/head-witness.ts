import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import type { Head } from '../../store.ts';
import { textSum } from './text-sum.ts';

/** A head that was once reached. */
export type Witness = Pick<Head, 'replica' | 'seq' | 'pos'>;

/** Offset in the marker file, in a sector of its own, so that writing it cannot damage the rest. */
const WITNESS_AT = 512;
const WITNESS_BYTES = 128;

/**
 * Remembers, outside the database, how far acknowledged writes went. SQLite silently ends its log at the first frame whose
 * sum does not fit: after one flipped bit the file opens as it was minutes ago, and passes every check.
 *
 * The witness is written once the commits that it describes are as durable as promised, and is never synced. After a crash
 * of the process it is exact; after a power cut it may be behind, which only means that less is noticed.
 */
export class HeadWitness {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(WITNESS_BYTES);
  #file: number | undefined;

  constructor(markerPath: string) {
    this.#path = markerPath;
  }

  /** Undefined if there is none, or none that can be trusted. */
  read(): Witness | undefined {
    if (!existsSync(this.#path)) return undefined;
    const bytes = Buffer.alloc(WITNESS_BYTES);
    // Not kept open: an opening renews the file.
    const file = openSync(this.#path, 'r');
    try {
      readSync(file, bytes, 0, WITNESS_BYTES, WITNESS_AT);
    } finally {
      closeSync(file);
    }
    const [name, replica = '', seq, pos, sum] = bytes.toString('latin1').trim().split(' ');
    if (name !== 'head' || sum !== textSum(`${replica} ${seq} ${pos}`)) return undefined;
    return { replica: replica as Head['replica'], seq: Number(seq), pos: Number(pos) };
  }

  /** Throws what the disk says. */
  write({ replica, seq, pos }: Witness): void {
    const text = `${replica} ${seq} ${pos}`;
    this.#bytes.write(`head ${text} ${textSum(text)}`.padEnd(WITNESS_BYTES - 1).concat('\n'), 'latin1');
    writeSync(this.#open(), this.#bytes, 0, WITNESS_BYTES, WITNESS_AT);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    this.#file ??= openSync(this.#path, 'r+');
    return this.#file;
  }
}

/** Whether a file is behind what was acknowledged: its head is older in the same life, or it has none. */
export function isBehind(head: Witness | undefined, witness: Witness | undefined): boolean {
  if (witness === undefined) return false;
  if (head === undefined) return true;
  return head.replica === witness.replica && (head.seq < witness.seq || head.pos < witness.pos);
}
