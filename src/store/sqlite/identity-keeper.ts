import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Logger } from '../../core/logging/index.ts';
import type { Head, StoreIdentity } from '../store.ts';
import { describesGeneration, type Marker, readMarker, writeMarker } from './marker.ts';
import type { Tables } from './tables.ts';

export interface IdentityOptions {
  readonly path: string;
  /** Names the machine; empty where the system has no such name. */
  readonly machineId: string;
  /** Seqs reserved ahead in one durable step with durability `normal`; 0: every flush is durable, none are needed. */
  readonly seqBlock: number;
  /** Makes the newest transaction durable in the main file. */
  readonly makeDurable: () => void;
  readonly logger: Logger;
}

/** R9 at open: knows whether this file may go on with its replica id, and keeps file and marker in step. */
export class IdentityKeeper {
  readonly identity: StoreIdentity;
  readonly #options: IdentityOptions;
  readonly #markerPath: string;
  #marker: Marker;
  #isSealed: boolean;

  /** Judges file and marker and raises the generation of both. Durable on return. */
  static open(tables: Tables, options: IdentityOptions): IdentityKeeper {
    const before = readMarker(markerPathOf(options.path));
    const head = tables.state.head();
    const fingerprint = fingerprintOf(options);
    const reason = judge(tables, before, head, fingerprint);
    const reservedSeq = reason === 'same' ? Math.max(head?.seq ?? 0, before?.reservedSeq ?? 0) : 0;
    const identity: StoreIdentity = { fresh: reason !== 'same', reason, reservedSeq };
    return new IdentityKeeper(tables, options, identity, before, head, fingerprint);
  }

  private constructor(
    tables: Tables,
    options: IdentityOptions,
    identity: StoreIdentity,
    before: Marker | undefined,
    head: Head | undefined,
    fingerprint: string,
  ) {
    this.identity = identity;
    this.#options = options;
    this.#markerPath = markerPathOf(options.path);
    this.#isSealed = identity.fresh && head !== undefined;
    this.#marker = {
      replica: head?.replica ?? null,
      generation: Math.max(before?.generation ?? 0, generationOf(tables)),
      state: 'open',
      reservedSeq: identity.reservedSeq,
    };
    this.#raise(tables, () => {
      tables.meta.set('fingerprint', fingerprint);
      // A life that ends before it has taken its new id must find the same answer again.
      tables.meta.set('sealed', this.#isSealed ? '1' : null);
    });
  }

  /** Before a commit with this head: makes durable that its seq may be used. */
  reserve(head: Head): void {
    const { seqBlock } = this.#options;
    if (seqBlock === 0 || head.replica !== this.#marker.replica || head.seq <= this.#marker.reservedSeq) return;
    this.#write({ ...this.#marker, reservedSeq: head.seq + seqBlock });
  }

  /** Inside the transaction of a commit with this head. */
  unseal(tables: Tables, head: Head): void {
    if (this.#isSealed && head.replica !== this.#marker.replica) tables.meta.set('sealed', null);
  }

  /** After a commit with this head: a new life began, or nothing. */
  adopt({ replica, seq }: Head): void {
    if (replica === this.#marker.replica) return;
    const { seqBlock, logger } = this.#options;
    try {
      this.#write({ ...this.#marker, replica, reservedSeq: seqBlock === 0 ? 0 : seq + seqBlock });
      this.#isSealed = false;
    } catch (error) {
      // The commit stands. Until a later one gets the marker right, a restart takes yet another new id, which does no harm.
      logger.warn({ err: error, path: this.#markerPath }, 'the marker of the database could not be written');
    }
  }

  /** At the end: a copy that was taken while this life ran is told apart from the file that lives on. */
  close(tables: Tables): void {
    this.#marker = { ...this.#marker, reservedSeq: tables.state.head()?.seq ?? 0 };
    this.#raise(tables, () => {});
  }

  #raise(tables: Tables, alongWith: () => void): void {
    const generation = this.#marker.generation + 1;
    this.#write({ ...this.#marker, generation, state: 'opening' });
    tables.transaction(() => {
      tables.meta.set('generation', String(generation));
      alongWith();
    });
    this.#options.makeDurable();
    this.#write({ ...this.#marker, state: 'open' });
  }

  #write(marker: Marker): void {
    writeMarker(this.#markerPath, marker);
    this.#marker = marker;
  }
}

export function markerPathOf(path: string): string {
  return `${path}.marker`;
}

/** Whether the file may go on under the replica id of its head. */
function judge(
  tables: Tables,
  marker: Marker | undefined,
  head: Head | undefined,
  fingerprint: string,
): StoreIdentity['reason'] {
  if (head === undefined) return 'new';
  if (tables.meta.get('sealed') !== undefined) return 'sealed';
  if (marker === undefined) return 'marker-missing';
  if (tables.meta.get('fingerprint') !== fingerprint) return 'other-machine';
  const isExpected = marker.replica === head.replica && describesGeneration(marker, generationOf(tables));
  return isExpected ? 'same' : 'marker-mismatch';
}

function generationOf(tables: Tables): number {
  return Number(tables.meta.get('generation') ?? 0);
}

/**
 * Machine and file. The file by its inode alone: device numbers change between starts of the same machine, and a new
 * replica id at every start would fill every node's knowledge.
 */
function fingerprintOf({ path, machineId }: IdentityOptions): string {
  const { ino } = statSync(path, { bigint: true });
  return createHash('sha256').update(`${machineId}:${ino}`).digest('hex').slice(0, 16);
}
