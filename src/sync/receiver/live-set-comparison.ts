import { type CollectionName, compareBytes } from '../../core/ids/index.ts';
import type { LiveSetVerdict, PlacedDot } from '../../core/replication/index.ts';
import { dotText, type Fingerprint, isSameFingerprint } from '../../core/version/index.ts';
import type { ClaimedCollection, MissingMessage, RangesMessage } from '../../net/messages/index.ts';
import type { KeyRange } from '../../store/index.ts';
import type { SessionContext } from '../session-context.ts';
import { RangeWalk } from './range-walk.ts';

/**
 * The receiver's half of R5: finds out which of the versions that it holds are not live at the sender. Ranges of
 * fingerprints narrow down to lists of dots, and the sender says which of these are not live. ADR 0002: the sender may
 * answer later than the moment of the knowledge that the claim will carry, as long as it has streamed all changes since.
 *
 *   ranges, ranges …          the sender's whole live set, front to back
 *     narrow → ranges         for a range that differs and is large
 *   check → missing           for the versions held in a range that differs and is small, page by page: the next page is read when
 *                             the last one was answered, so that a range in which the sender has nothing delays nobody
 *   check(last) → missing, claim
 *
 * If much is gone, most of it is dropped in slices before the claim is adopted (ADR 0015).
 */
export class LiveSetComparison {
  readonly exchange: number;
  readonly #context: SessionContext;
  readonly #collection: CollectionName;
  /** Change position at the start. Rows that have not changed since were compared. */
  readonly #comparedFrom: number;
  readonly #walk = new RangeWalk();
  readonly #confirmed = new Set<string>();
  /** The claim that concludes the comparison, once it has arrived. */
  claimed: ClaimedCollection | undefined;
  /** Versions that are gone and not dropped yet; `#waiting`: those of them that have to wait for the claim. */
  readonly #missing: PlacedDot[] = [];
  readonly #waiting: PlacedDot[] = [];
  /** Ranges whose versions are still to be asked about, in order. */
  readonly #listed: KeyRange[] = [];
  #asked: PlacedDot[] = [];
  /** How many checks are not answered yet. */
  #unanswered = 0;
  #isLastSent = false;

  constructor(context: SessionContext, collection: CollectionName, exchange: number) {
    this.#context = context;
    this.#collection = collection;
    this.exchange = exchange;
    this.#comparedFrom = context.replica.pos;
  }

  /** How many versions it has read but not asked about yet. */
  get unasked(): number {
    return this.#asked.length;
  }

  ranges(message: RangesMessage): void {
    const part = this.#walk.take(message);
    if (part === undefined) return;
    const narrow: KeyRange[] = [];
    const { rangeListMax } = this.#context.deps.limits;
    for (const { range, theirs } of part.described) {
      if (!this.#differs(range, theirs)) continue;
      if (part.depth === 0 && this.#holdsMore(range, rangeListMax)) narrow.push(range);
      else this.#listed.push(range);
    }
    this.#walk.narrow(narrow, part.depth);
    if (narrow.length > 0)
      this.#context.send({ kind: 'narrow', collection: this.#collection, exchange: this.exchange, ranges: narrow });
    this.#flushChecks(false);
  }

  /** Takes an answer of the sender. Only versions that were asked about can be missing. */
  missing(message: MissingMessage): void {
    if (this.#unanswered === 0) return;
    for (const placed of message.versions) if (this.#confirmed.delete(dotText(placed.dot))) this.#missing.push(placed);
    this.#unanswered--;
    this.#flushChecks(false);
  }

  /** R5 in the claim's transaction found versions that were never asked about: asks, and the sender will claim again. */
  ask(versions: readonly PlacedDot[]): void {
    this.claimed = undefined;
    this.#asked.push(...versions);
    this.#isLastSent = false;
    this.#flushChecks(true);
  }

  /** Drops a slice of what is gone. False: the rest is dropped with the claim. */
  dropSlice(source: object): boolean {
    const { replica } = this.#context;
    if (this.claimed === undefined || !replica.isMoreThanSlice(this.#missing.length)) return false;
    const { collection, knowledge, purged } = this.claimed;
    const claim = { collection, knowledge, purged, liveSet: undefined };
    const { taken, waiting } = replica.dropGone(claim, this.#missing, source);
    this.#missing.length -= taken;
    this.#waiting.push(...waiting);
    return true;
  }

  verdict(): LiveSetVerdict {
    return {
      comparedFrom: this.#comparedFrom,
      isConfirmed: (dot) => this.#confirmed.has(dotText(dot)),
      missing: [...this.#missing, ...this.#waiting],
    };
  }

  /** Whether anything is held in the range that may not be live at the sender. */
  #differs(range: KeyRange, theirs: Fingerprint): boolean {
    // With more documents than the sender there is a difference, without summing them up.
    if (this.#holdsMore(range, theirs.count)) return true;
    const [ours] = this.#context.replica.store.fingerprints(this.#collection, [range]);
    return ours!.count > 0 && !isSameFingerprint(theirs, ours!);
  }

  /** Whether more than `count` documents are held in the range. */
  #holdsMore({ after, upTo }: KeyRange, count: number): boolean {
    const next = this.#context.replica.store.nthKey(this.#collection, after, count + 1);
    return next !== undefined && (upTo === null || compareBytes(next, upTo) <= 0);
  }

  /** Reads the next page of the listed ranges, whose versions are then asked about. */
  #list(): void {
    const [range] = this.#listed;
    if (range === undefined) return;
    const { messageVersionsMax } = this.#context.deps.limits;
    const page = this.#context.replica.store.inRange(this.#collection, range, messageVersionsMax);
    for (const { key, versions } of page)
      for (const { replica, seq } of versions) this.#asked.push({ key, dot: { replica, seq } });
    if (page.length < messageVersionsMax) this.#listed.shift();
    else this.#listed[0] = { after: page.at(-1)!.key, upTo: range.upTo };
  }

  /** A last check is empty only if nothing was left to ask. After a claim, an empty last check says that it was adopted. */
  #flushChecks(isAgain: boolean): void {
    const { messageVersionsMax } = this.#context.deps.limits;
    while (this.#listed.length > 0 && this.#asked.length <= messageVersionsMax && this.#unanswered === 0) this.#list();
    while (this.#asked.length > messageVersionsMax) this.#sendCheck(this.#asked.splice(0, messageVersionsMax), false);
    const isComplete = isAgain || (this.#walk.isDone && this.#listed.length === 0);
    if (!isComplete || this.#isLastSent) return;
    this.#sendCheck(this.#asked.splice(0), true);
    this.#isLastSent = true;
  }

  /** Versions asked about count as confirmed until the answer, which arrives before the claim, says otherwise. */
  #sendCheck(versions: readonly PlacedDot[], last: boolean): void {
    for (const { dot } of versions) this.#confirmed.add(dotText(dot));
    this.#unanswered++;
    this.#context.send({ kind: 'check', collection: this.#collection, exchange: this.exchange, versions, last });
  }
}
