import type { ReplicaId } from '../../../core/ids/index.ts';
import { FIRST_CHECK, type ForkEvidence, type Known } from '../../../core/version/index.ts';
import { type Head, META } from '../../../store/index.ts';
import type { Draft } from '../draft.ts';
import { ConfirmedPoints } from './confirmed-points.ts';
import { endLife, type FormerLives, formerLivesToText, parseFormerLives } from './former-lives.ts';
import { type LifeEnd, LifeEnds } from './life-ends.ts';
import { LostPositions } from './lost-positions.ts';

/** How a life ended: with a fork that was found, or otherwise. */
export interface LifeEnding {
  readonly kind: 'plain' | 'forked';
  /** Whether the head is a point of the life's history; it is not where a seq was reserved and not used. */
  readonly isPoint: boolean;
  /** How many ends are kept. */
  readonly endsMax: number;
}

/** R9 at open: what is known about the file. */
export interface OpenedFile {
  /** The head in it; undefined: it was empty. */
  readonly head: Pick<Head, 'replica' | 'pos'> | undefined;
  /** Whether its marker proves that this is the same life as before. */
  readonly isSameLife: boolean;
  /** The highest seq that the life may have acknowledged before it was opened, even if the disk has lost it. */
  readonly reservedSeq: number;
  /** The highest change position that may have been given out before, even if the disk has lost it. */
  readonly reservedPos: number;
}

/** What the metadata of the file say about its lives. */
interface KnownLives {
  readonly former: FormerLives;
  readonly forked: LifeEnds;
  readonly ended: LifeEnds;
  readonly confirmed: ConfirmedPoints;
  readonly lost: LostPositions;
}

/** R9: what this file knows about its own lives, the current and the former ones. */
export class OwnLives {
  readonly #file: OpenedFile;
  readonly #known: KnownLives;

  private constructor(file: OpenedFile, known: KnownLives) {
    this.#file = file;
    this.#known = known;
  }

  /** Reads them from the metadata. `isOpening`: the database is being opened. */
  static parse(file: OpenedFile, meta: ReadonlyMap<string, string>, isOpening: boolean): OwnLives {
    return new OwnLives(file, {
      former: parseFormerLives(meta.get(META.formerLives)),
      forked: LifeEnds.parse(meta.get(META.forkedEnds)),
      ended: LifeEnds.parse(meta.get(META.plainEnds)),
      confirmed: ConfirmedPoints.parse(meta.get(META.confirmedPoints), isOpening),
      lost: lostPositions(file, meta),
    });
  }

  /** Reads them again after commits were lost. */
  reloaded(meta: ReadonlyMap<string, string>): OwnLives {
    return OwnLives.parse(this.#file, meta, false);
  }

  /** Ends the life with this head in the draft. Of the next life nothing is confirmed yet. */
  ended(draft: Draft, head: Head, ending: LifeEnding): OwnLives {
    const known = this.#known;
    const { kind, isPoint, endsMax } = ending;
    // Twins gave the same positions to different changes, and nobody knows from where on.
    const former = endLife(known.former, head.replica, kind === 'forked' ? 0 : head.pos);
    const forked = kind === 'forked' ? known.forked.with(head, endsMax) : known.forked;
    const ended = kind === 'plain' && isPoint ? known.ended.with(head, endsMax) : known.ended;
    draft.meta(META.formerLives, formerLivesToText(former));
    if (forked !== known.forked) draft.meta(META.forkedEnds, forked.toText());
    if (ended !== known.ended) draft.meta(META.plainEnds, ended.toText());
    draft.meta(META.confirmedPoints, null);
    return new OwnLives(this.#file, { ...known, former, forked, ended, confirmed: ConfirmedPoints.none() });
  }

  get former(): FormerLives {
    return this.#known.former;
  }

  /** The change position at which a former life ended. */
  endOf(replica: ReplicaId): number | undefined {
    return this.#known.former.get(replica);
  }

  /** Whether a power cut may have taken back what had this change position. */
  isLost(pos: number): boolean {
    return this.#known.lost.has(pos);
  }

  /**
   * The evidence by which twins of former lives recognise the fork. The second check is that of no write, so it contradicts even
   * a longer history of the twin that agrees with the first.
   */
  forks(): ForkEvidence[] {
    return this.#known.forked.list.map(({ replica, seq, check }) => ({ replica, seq, checks: [check, FIRST_CHECK] }));
  }

  /** The ends of those former lives of which no twin is known. */
  ends(): readonly LifeEnd[] {
    return this.#known.ended.list;
  }

  /** Notes a point of this replica's history that a peer has confirmed. */
  confirm(known: Known | undefined): void {
    this.#known.confirmed.confirm(known);
  }

  /** The newest confirmed point that is likely to lie before any fork. */
  beforeFork(): Known {
    return this.#known.confirmed.beforeFork();
  }

  /** Adds the confirmed points to a commit that follows this head; lost positions to the first one that goes beyond them. */
  record(draft: Draft, { pos }: Head): void {
    const confirmed = this.#known.confirmed.toText();
    if (confirmed !== null) draft.meta(META.confirmedPoints, confirmed);
    if (this.#known.lost.has(pos - 1)) draft.meta(META.lostPositions, this.#known.lost.toText());
  }

  /** Whether the id belongs to a file of which this one is a copy: no write may carry it again. */
  isForeign(id: ReplicaId): boolean {
    return this.#file.head?.replica === id && !this.#file.isSameLife;
  }

  /** The head, raised so that a seq or position that may have been given out before is not assigned again. */
  aboveReserved(found: Head): Head {
    if (found.replica !== this.#file.head?.replica) return found;
    // A token may name the position of the head itself.
    const head = this.#known.lost.has(this.#file.reservedPos) ? raised(found, this.#file.reservedPos + 1) : found;
    const reserved = this.#file.reservedSeq;
    return head.seq >= reserved ? head : { ...head, seq: reserved };
  }
}

function raised(head: Head, pos: number): Head {
  return head.pos >= pos ? head : { ...head, pos };
}

function lostPositions({ head, reservedPos }: OpenedFile, meta: ReadonlyMap<string, string>): LostPositions {
  const known = LostPositions.parse(meta.get(META.lostPositions));
  const after = head?.pos ?? 0;
  return after >= reservedPos || known.has(reservedPos) ? known : known.with(after, reservedPos);
}
