import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { ReplicaId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Head, StoreIdentity } from '../store.ts';
import {
  describesGeneration,
  isBehind,
  isOtherOrigin,
  type Marker,
  readMarker,
  readOrigin,
  type Witness,
  writeMarker,
  writeOrigin,
} from './files/index.ts';
import { toStoreError } from './sqlite-errors.ts';
import type { Tables } from './tables.ts';

export interface IdentityOptions {
  readonly path: string;
  /** Names the machine; empty where the system has no such name. */
  readonly machineId: string;
  /** Wall clock, ms. */
  readonly nowMs: number;
  /** Seqs reserved ahead in one durable step with durability `normal`; 0: every flush is durable, none are needed. */
  readonly seqBlock: number;
  /** Makes the newest transaction durable in the main file. */
  readonly makeDurable: () => void;
  /** How far the head was seen to be. */
  readonly witness: Witness | undefined;
  /** Commits are missing from the redo log. */
  readonly isRedoCut: boolean;
  readonly logger: Logger;
}

/** R9 at open: knows whether this file may go on with its replica id, and keeps file and marker in step. */
export class IdentityKeeper {
  readonly identity: StoreIdentity;
  readonly #options: IdentityOptions;
  readonly #markerPath: string;
  #marker: Marker;
  /** The id that must not be written under any more; null once a new one took its place, or when none is needed. */
  #endedReplica: ReplicaId | null;
  #dueRaise: (() => void) | undefined;
  readonly #origin: string;

  /** Judges file and marker and raises the generation of both. Durable on return. */
  static open(tables: Tables, options: IdentityOptions): IdentityKeeper {
    const before = readMarker(markerPathOf(options.path));
    const head = tables.state.head();
    const fingerprint = fingerprintOf(options);
    const origin = readOrigin(markerPathOf(options.path));
    const judged = judge(tables, before, origin, head, fingerprint);
    // A copy or a restored backup is older by right.
    const isBack = isBehind(head, options.witness) || options.isRedoCut;
    const isCutBack = (judged === 'same' || judged === 'new') && isBack;
    // With durability `normal` the reserved seqs keep names of writes apart, and the life goes on.
    const isOver = judged === 'same' && isCutBack && options.seqBlock === 0;
    const reason = isOver ? 'cut-back' : judged;
    const reservedSeq = reason === 'same' ? Math.max(head?.seq ?? 0, before?.reservedSeq ?? 0) : 0;
    const identity: StoreIdentity = { fresh: reason !== 'same', reason, reservedSeq, ...(isCutBack && { isCutBack }) };
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
    this.#endedReplica = identity.fresh ? (head?.replica ?? null) : null;
    const generation = generationOf(tables);
    const isDescribed = before !== undefined && describesGeneration(before, generation);
    // A life that ends before it has taken its new id must find the same answer again: marker and file both say so.
    this.#marker = {
      replica: identity.fresh ? null : (head?.replica ?? null),
      generation: isDescribed ? generation : Math.max(before?.generation ?? 0, generation),
      state: 'open',
      reservedSeq: identity.reservedSeq,
    };
    const known = identity.fresh ? undefined : tables.meta.get('origin');
    this.#origin = known ?? originOf(fingerprint, generation, options.nowMs);
    this.#raiseOrWarn(tables, () => {
      tables.meta.set('fingerprint', fingerprint);
      tables.meta.set('origin', this.#origin);
      tables.meta.set('sealed', this.#endedReplica === null ? null : '1');
    });
  }

  /** Before any commit: does what a full disk did not allow at open. */
  beforeCommit(): void {
    this.#dueRaise?.();
  }

  /** Before a commit with this head: makes durable that its seq may be used. */
  reserve(head: Head): void {
    const { seqBlock } = this.#options;
    if (seqBlock === 0 || head.replica !== this.#marker.replica || head.seq <= this.#marker.reservedSeq) return;
    this.#write({ ...this.#marker, reservedSeq: head.seq + seqBlock });
  }

  /** Whether commits with this head go on with the life that the marker names. */
  isKnownLife({ replica }: Head): boolean {
    return replica === this.#marker.replica;
  }

  /** Inside the transaction of a commit with this head. */
  unseal(tables: Tables, head: Head): void {
    if (this.#endedReplica !== null && head.replica !== this.#endedReplica) tables.meta.set('sealed', null);
  }

  /** After a commit with this head: a new life began, or nothing. */
  adopt({ replica, seq }: Head): void {
    if (replica === this.#marker.replica || replica === this.#endedReplica) return;
    const { seqBlock, logger } = this.#options;
    try {
      this.#write({ ...this.#marker, replica, reservedSeq: seqBlock === 0 ? 0 : seq + seqBlock });
      this.#endedReplica = null;
    } catch (error) {
      // The commit stands. Until a later one gets the marker right, a restart takes yet another new id, which does no harm.
      logger.warn({ err: error, path: this.#markerPath }, 'the marker of the database could not be written');
    }
  }

  /** At the end: a copy that was taken while this life ran is told apart from the file that lives on. */
  close(tables: Tables): void {
    this.#marker = { ...this.#marker, reservedSeq: tables.state.head()?.seq ?? 0 };
    this.#dueRaise?.();
    this.#raise(tables, () => {});
  }

  /**
   * On a full disk a database must open all the same, to be read and to be made smaller. Nothing is committed before the
   * raise was made good; until then the marker stays at `opening`, which fits a file of the generation before.
   */
  #raiseOrWarn(tables: Tables, alongWith: () => void): void {
    const { path, logger } = this.#options;
    const raise = (): void => {
      this.#raise(tables, alongWith);
      this.#dueRaise = undefined;
    };
    try {
      raise();
    } catch (error) {
      if (!isEntglDbError(toStoreError(error, path), 'DISK_FULL')) throw error;
      this.#dueRaise = raise;
      logger.warn({ err: error, path }, 'the disk is full: the database can be read, and written when there is room');
    }
  }

  #raise(tables: Tables, alongWith: () => void): void {
    const { state, generation: last } = this.#marker;
    const generation = state === 'opening' ? last : last + 1;
    this.#write({ ...this.#marker, generation, state: 'opening' });
    tables.transactions.settleWith(() => {
      tables.meta.set('generation', String(generation));
      alongWith();
    });
    this.#options.makeDurable();
    writeOrigin(this.#markerPath, this.#origin);
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
  origin: string | undefined,
  head: Head | undefined,
  fingerprint: string,
): StoreIdentity['reason'] {
  if (head === undefined) return 'new';
  if (tables.meta.get('sealed') !== undefined) return 'sealed';
  if (marker === undefined) return 'marker-missing';
  if (tables.meta.get('fingerprint') !== fingerprint) return 'other-machine';
  if (isOtherOrigin(tables.meta.get('origin'), origin)) return 'marker-mismatch';
  const isExpected = marker.replica === head.replica && describesGeneration(marker, generationOf(tables));
  return isExpected ? 'same' : 'marker-mismatch';
}

function generationOf(tables: Tables): number {
  return Number(tables.meta.get('generation') ?? 0);
}

function originOf(fingerprint: string, generation: number, nowMs: number): string {
  return createHash('sha256').update(`${fingerprint}:${generation}:${nowMs}`).digest('hex').slice(0, 16);
}

/**
 * Machine and file. The file by its inode alone: device numbers change between starts of the same machine, and a new
 * replica id at every start would fill every node's knowledge.
 */
function fingerprintOf({ path, machineId }: IdentityOptions): string {
  const { ino } = statSync(path, { bigint: true });
  return createHash('sha256').update(`${machineId}:${ino}`).digest('hex').slice(0, 16);
}
