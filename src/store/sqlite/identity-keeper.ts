import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { isEntglDbError } from '../../core/errors/index.ts';
import type { ReplicaId } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Head, StoreIdentity } from '../store.ts';
import {
  describesGeneration,
  isBehind,
  isCopiedMarker,
  isOtherOrigin,
  type Marker,
  markerPathOf,
  readMarker,
  readOrigins,
  renewMarker,
  type Witness,
  writeMarker,
  writeOrigin,
  writeOrigins,
} from './files/index.ts';
import { toStoreError } from './sqlite-errors.ts';
import type { Tables } from './tables.ts';

export interface IdentityOptions {
  readonly path: string;
  /** Identifies the machine; empty if the system has no such id. */
  readonly machineId: string;
  /** Wall clock, ms. */
  readonly nowMs: number;
  /** Seqs and change positions reserved in one durable step with durability `normal`; 0: not needed, as every flush is durable. */
  readonly block: number;
  /** Makes the newest transaction durable in the main file. */
  readonly makeDurable: () => void;
  /** How far the head once was. */
  readonly witness: Witness | undefined;
  /** Whether commits are missing from the redo log. */
  readonly isRedoCut: boolean;
  readonly logger: Logger;
}

type Reserved = Pick<Marker, 'reservedSeq' | 'reservedPos'>;

/** What an opening finds in the database file and beside it. */
interface Found {
  readonly head: Head | undefined;
  readonly marker: Marker | undefined;
  readonly isMarkerCopied: boolean;
  readonly origins: readonly string[];
  /** Of this machine and the file as it lies now. */
  readonly fingerprint: string;
}

/** R9 at open: decides whether this file may keep its replica id, and keeps file and marker consistent. */
export class IdentityKeeper {
  readonly identity: StoreIdentity;
  readonly #options: IdentityOptions;
  readonly #markerPath: string;
  #marker: Marker;
  /** The replica id under which nothing may be written any more; null once a new one replaced it, or if that is not needed. */
  #endedReplica: ReplicaId | null;
  /** Of this life. Until it has a commit that goes beyond, what a power cut took back shows in nothing else. */
  #reservedAtOpen: Reserved;
  #dueRaise: (() => void) | undefined;
  #isDisowned = false;
  readonly #origin: string;

  /** Compares file and marker, and raises the generation of both. Durable on return. */
  static open(tables: Tables, options: IdentityOptions): IdentityKeeper {
    const markerPath = markerPathOf(options.path);
    const head = tables.state.head();
    const marker = readMarker(markerPath);
    const found: Found = {
      head,
      marker,
      isMarkerCopied: isCopiedMarker(markerPath),
      origins: readOrigins(markerPath),
      fingerprint: fingerprintOf(options),
    };
    const judged = judge(tables, found);
    // A copy or a restored backup is expected to be older.
    const isBack = isBehind(head, options.witness) || options.isRedoCut;
    const isCutBack = (judged === 'same' || judged === 'new') && isBack;
    // With durability `normal` the reserved seqs keep the names of writes distinct, so the life continues.
    const isOver = judged === 'same' && isCutBack && options.block === 0;
    const reason = isOver ? 'cut-back' : judged;
    const reserved = reason === 'same' ? reservedBy(head, marker) : NOTHING_RESERVED;
    const identity: StoreIdentity = { fresh: reason !== 'same', reason, ...reserved, ...(isCutBack && { isCutBack }) };
    return new IdentityKeeper(tables, options, found, identity);
  }

  private constructor(tables: Tables, options: IdentityOptions, found: Found, identity: StoreIdentity) {
    const { head, marker: before, fingerprint } = found;
    this.identity = identity;
    this.#options = options;
    this.#markerPath = markerPathOf(options.path);
    this.#endedReplica = identity.fresh ? (head?.replica ?? null) : null;
    this.#reservedAtOpen = identity;
    const generation = generationOf(tables);
    const isDescribed = before !== undefined && describesGeneration(before, generation);
    // If the process ends before a new id is taken, the next opening must decide the same: marker and file both record it.
    this.#marker = {
      replica: identity.fresh ? null : (head?.replica ?? null),
      generation: isDescribed ? generation : Math.max(before?.generation ?? 0, generation),
      state: 'open',
      reservedSeq: identity.reservedSeq,
      reservedPos: identity.reservedPos,
    };
    const known = identity.fresh ? undefined : tables.meta.get('origin');
    this.#origin = known ?? originOf(fingerprint, generation, options.nowMs);
    this.#raiseOrWarn(tables, () => {
      tables.meta.set('fingerprint', fingerprint);
      tables.meta.set('origin', this.#origin);
      tables.meta.set('sealed', this.#endedReplica === null ? null : '1');
    });
  }

  /** To be called before any commit: does what a full disk prevented at open. */
  beforeCommit(): void {
    this.#dueRaise?.();
  }

  /** To be called before a commit with this head: durably reserves its seq and its position. */
  reserve(head: Head): void {
    const { replica, reservedSeq, reservedPos } = this.#marker;
    if (this.#options.block === 0 || head.replica !== replica) return;
    if (head.seq > reservedSeq || head.pos > reservedPos) this.#write({ ...this.#marker, ...this.#blockAfter(head) });
  }

  /** Whether a commit with this head belongs to the life that the marker names. */
  isKnownLife({ replica }: Head): boolean {
    return replica === this.#marker.replica;
  }

  /** To be called inside the transaction of a commit with this head: a new life lifts the seal. */
  unseal(tables: Tables, head: Head): void {
    if (this.#endedReplica !== null && head.replica !== this.#endedReplica) tables.meta.set('sealed', null);
  }

  /** To be called after a commit with this head: writes the marker if a new life began. */
  adopt(head: Head): void {
    const { replica } = head;
    if (replica === this.#marker.replica || replica === this.#endedReplica) return;
    const { block, logger } = this.#options;
    this.#reservedAtOpen = NOTHING_RESERVED;
    try {
      this.#write({ ...this.#marker, replica, ...(block === 0 ? NOTHING_RESERVED : this.#blockAfter(head)) });
      this.#endedReplica = null;
    } catch (error) {
      // The commit stands. Until a later commit corrects the marker, a restart takes yet another new id, which is harmless.
      logger.warn({ err: error, path: this.#markerPath }, 'the marker of the database could not be written');
    }
  }

  /** At the end, raises the generation once more, so that a copy taken in the meantime is recognised as one. */
  close(tables: Tables): void {
    this.#marker = { ...this.#marker, ...reservedBy(tables.state.head(), this.#reservedAtOpen) };
    this.#dueRaise?.();
    this.#raise(tables, () => {});
  }

  /**
   * To be called when the main file was written over. Even if what is there now has the generation of this opening, its logs must not be
   * read with it: the marker gets a generation that no file has. If the disk refuses that, the next call tries again.
   */
  disown(): void {
    if (this.#isDisowned) return;
    try {
      this.#write({ ...this.#marker, generation: this.#marker.generation + 1, state: 'open' });
      this.#isDisowned = true;
    } catch (error) {
      this.#options.logger.warn(
        { err: error, path: this.#markerPath },
        'the marker of the database could not be written',
      );
    }
  }

  /**
   * A database must open on a full disk too, to be read and to be made smaller. Nothing is committed before the raise has
   * succeeded; until then the marker says `opening`, which also fits the generation before.
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
    this.#marker = { ...this.#marker, generation, state: 'opening' };
    renewMarker(this.#markerPath, this.#marker);
    this.#announceOrigin(tables);
    tables.transactions.settleWith(() => {
      tables.meta.set('generation', String(generation));
      alongWith();
    });
    this.#options.makeDurable();
    writeOrigin(this.#markerPath, this.#origin);
    this.#write({ ...this.#marker, state: 'open' });
  }

  /** A main file that is only partly written must not look like another one, to which its own log does not belong. */
  #announceOrigin(tables: Tables): void {
    const [durable] = readOrigins(this.#markerPath);
    const inFile = tables.meta.get('origin');
    const others = [...new Set([this.#origin, ...(inFile === undefined ? [] : [inFile])])].filter(
      (origin) => origin !== durable,
    );
    if (durable !== undefined && others.length > 0) writeOrigins(this.#markerPath, [durable, ...others]);
  }

  #blockAfter({ seq, pos }: Head): Reserved {
    const { block } = this.#options;
    return { reservedSeq: seq + block, reservedPos: pos + block };
  }

  #write(marker: Marker): void {
    writeMarker(this.#markerPath, marker);
    this.#marker = marker;
  }
}

/** Whether the file may keep the replica id of its head (`same`), or why not. */
function judge(tables: Tables, { head, marker, isMarkerCopied, origins, fingerprint }: Found): StoreIdentity['reason'] {
  if (head === undefined) return 'new';
  if (tables.meta.get('sealed') !== undefined) return 'sealed';
  if (marker === undefined) return 'marker-missing';
  if (tables.meta.get('fingerprint') !== fingerprint) return 'other-machine';
  if (isMarkerCopied || isOtherOrigin(tables.meta.get('origin'), origins)) return 'marker-mismatch';
  const isExpected = marker.replica === head.replica && describesGeneration(marker, generationOf(tables));
  return isExpected ? 'same' : 'marker-mismatch';
}

const NOTHING_RESERVED: Reserved = { reservedSeq: 0, reservedPos: 0 };

function reservedBy(head: Head | undefined, before: Reserved | undefined): Reserved {
  return {
    reservedSeq: Math.max(head?.seq ?? 0, before?.reservedSeq ?? 0),
    reservedPos: Math.max(head?.pos ?? 0, before?.reservedPos ?? 0),
  };
}

function generationOf(tables: Tables): number {
  return Number(tables.meta.get('generation') ?? 0);
}

function originOf(fingerprint: string, generation: number, nowMs: number): string {
  return createHash('sha256').update(`${fingerprint}:${generation}:${nowMs}`).digest('hex').slice(0, 16);
}

/**
 * Identifies machine and file. The file only by its inode: device numbers change between starts of the same machine, and a
 * new replica id at every start would fill every node's knowledge.
 */
function fingerprintOf({ path, machineId }: IdentityOptions): string {
  const { ino } = statSync(path, { bigint: true });
  return createHash('sha256').update(`${machineId}:${ino}`).digest('hex').slice(0, 16);
}
