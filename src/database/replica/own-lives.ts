import type { ReplicaId } from '../../core/ids/index.ts';
import type { ForkEvidence, Known } from '../../core/version/index.ts';
import type { Head } from '../../store/index.ts';
import { ConfirmedPoints } from './confirmed-points.ts';
import type { Draft } from './draft.ts';
import { ForkedLives } from './forked-lives.ts';
import { endLife, type FormerLives, formerLivesToText, parseFormerLives } from './former-lives.ts';

/** R9 at open: what was found out about the file. */
export interface OpenedFile {
  /** The id under which it was found; undefined: nothing was in it. */
  readonly replica: ReplicaId | undefined;
  /** Whether its marker proves that this is the same life as before. */
  readonly isSameLife: boolean;
  /** The highest seq that the life before may have acknowledged, where the disk may have lost it. */
  readonly reservedSeq: number;
}

/** R9: what this file knows of its own lives, the present one and those before. */
export class OwnLives {
  readonly #file: OpenedFile;
  readonly #former: FormerLives;
  readonly #forked: ForkedLives;
  readonly #confirmed: ConfirmedPoints;

  private constructor(file: OpenedFile, former: FormerLives, forked: ForkedLives, confirmed: ConfirmedPoints) {
    this.#file = file;
    this.#former = former;
    this.#forked = forked;
    this.#confirmed = confirmed;
  }

  /** As they are kept. `isOpening`: the process has just begun. */
  static parse(file: OpenedFile, meta: ReadonlyMap<string, string>, isOpening: boolean): OwnLives {
    const forked = ForkedLives.parse(meta.get('forked'));
    const confirmed = ConfirmedPoints.parse(meta.get('confirmed'), isOpening);
    return new OwnLives(file, parseFormerLives(meta.get('lives')), forked, confirmed);
  }

  /** As they are in the store after commits were lost. */
  reloaded(meta: ReadonlyMap<string, string>): OwnLives {
    return OwnLives.parse(this.#file, meta, false);
  }

  /** The life with this head ends with the draft: nobody has confirmed anything of the next one yet. */
  ended(draft: Draft, head: Head, kind: 'plain' | 'forked'): OwnLives {
    const former = endLife(this.#former, head.replica, head.pos);
    const forked = kind === 'forked' ? this.#forked.with(head) : this.#forked;
    draft.meta('lives', formerLivesToText(former));
    if (kind === 'forked') draft.meta('forked', forked.toText());
    draft.meta('confirmed', null);
    return new OwnLives(this.#file, former, forked, ConfirmedPoints.none());
  }

  formerIds(): Iterable<ReplicaId> {
    return this.#former.keys();
  }

  /** The change position at which a former life ended. */
  endOf(replica: ReplicaId): number | undefined {
    return this.#former.get(replica);
  }

  /** What tells twins of former lives what they are. */
  forks(): ForkEvidence[] {
    return this.#forked.evidence();
  }

  /** A point of the own history that a peer was seen to share. */
  confirm(known: Known | undefined): void {
    this.#confirmed.confirm(known);
  }

  /** The newest point of the own history of which it is likely that it lies before any fork. */
  beforeFork(): Known {
    return this.#confirmed.beforeFork();
  }

  /** Adds to a commit what was confirmed. */
  record(draft: Draft): void {
    const confirmed = this.#confirmed.toText();
    if (confirmed !== null) draft.meta('confirmed', confirmed);
  }

  /** The id is that of a file of which this one is a copy: no write may ever carry it again. */
  isForeign(id: ReplicaId): boolean {
    return this.#file.replica === id && !this.#file.isSameLife;
  }

  /** A seq that the life before may have acknowledged is not given out again. */
  aboveReserved(head: Head): Head {
    const reserved = head.replica === this.#file.replica ? this.#file.reservedSeq : 0;
    return head.seq >= reserved ? head : { ...head, seq: reserved };
  }
}
