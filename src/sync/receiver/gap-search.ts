import type { CollectionName } from '../../core/ids/index.ts';
import { type Fingerprint, isSameFingerprint } from '../../core/version/index.ts';
import type { RangesMessage } from '../../net/messages/index.ts';
import type { KeyRange } from '../../store/index.ts';
import type { SyncCollection } from '../replica-port.ts';
import type { SessionContext } from '../session-context.ts';
import { RangeWalk } from './range-walk.ts';

/** How often a range is narrowed: then it is as small as the sender makes ranges. */
const NARROWED_MAX = 2;

/**
 * R11 at the receiver: finds the ranges of keys in which its documents differ from the sender's, so that only these are sent;
 * see `GapAnswers`. It ignores what the receiver holds beyond the sender's live set: that is R5.
 */
export class GapSearch {
  readonly exchange: number;
  readonly #context: SessionContext;
  readonly #collection: CollectionName;
  readonly #walk = new RangeWalk();

  constructor(context: SessionContext, collection: CollectionName, exchange: number) {
    this.#context = context;
    this.#collection = collection;
    this.exchange = exchange;
  }

  ranges(message: RangesMessage): void {
    const part = this.#walk.take(message);
    if (part === undefined) return;
    const narrow: KeyRange[] = [];
    const fetch: KeyRange[] = [];
    for (const { range, theirs } of part.described) {
      const differs = this.#differs(range, theirs);
      if (differs === 'much' && part.depth < NARROWED_MAX) narrow.push(range);
      else if (differs !== 'nothing') fetch.push(range);
    }
    this.#walk.narrow(narrow, part.depth);
    this.#ask(narrow, fetch);
  }

  /** `much`: so much that finding out where pays off, and the larger part of it may already be here. */
  #differs(range: KeyRange, theirs: Fingerprint): 'nothing' | 'little' | 'much' {
    if (theirs.count === 0) return 'nothing';
    const [ours] = this.#context.replica.store.fingerprints(this.#collection, [range]);
    if (isSameFingerprint(theirs, ours!)) return 'nothing';
    const { rangeListMax } = this.#context.deps.limits;
    return 2 * theirs.count > rangeListMax && 2 * ours!.count > theirs.count ? 'much' : 'little';
  }

  #ask(narrow: readonly KeyRange[], fetch: readonly KeyRange[]): void {
    const names = { collection: this.#collection, exchange: this.exchange };
    if (narrow.length > 0) this.#context.send({ kind: 'narrow', ...names, ranges: narrow });
    const last = this.#walk.isDone;
    if (fetch.length > 0 || last) this.#context.send({ kind: 'fetch', ...names, ranges: fetch, last });
  }
}

/**
 * Whether the replica holds so many versions beyond its knowledge that a comparison costs less than receiving them again. It may
 * have forgotten them because of a damaged row (R11), or a stream was cut that cannot be resumed.
 */
export function holdsUnknown(context: SessionContext, { name, knowledge, fingerprint }: SyncCollection): boolean {
  const { replica, deps } = context;
  let missing = deps.limits.gapVersionsMin;
  if (fingerprint.count < missing) return false;
  for (const author of replica.store.liveReplicas(name)) {
    missing -= replica.store.delta(name, author, knowledge.get(author)?.seq ?? 0, missing).length;
    if (missing <= 0) return true;
  }
  return false;
}
