// The replication rules as an executable model, without I/O or a clock. It exists to find mistakes in the rules before they
// become code. explore.ts drives it through random schedules. Every rule has a switch; with any one off (a mutant), the
// exploration must find a counterexample. attacks.ts adds directed attacks and the variants that were rejected.
import { type Context, covers, dominates, dotOf, hasSeen, join, raise, see, seeAll, type Vector } from './vectors.ts';

/** One switch per rule that a plausible draft left out. With all of them on: the rules as they stand. */
export const RULES = {
  /** R2: a remote version that knowledge covers is ignored even if no version held here replaced it: it was purged. */
  knownDrop: true,
  /** R4: knowledge moves with the claim, not with the start of the round. */
  claimAtEnd: true,
  /** R5: where the receiver's knowledge does not cover the purge line, the live set decides. */
  reconcileWhenPurged: true,
  /** R6: the purge line is adopted with the claim. */
  inheritPurged: true,
  /** R7: a tombstone is purged only if knowledge covers it and its whole context. */
  purgeOnlyKnown: true,
  /** R1: a context names unbroken lines, not everything up to a seq. */
  lines: true,
  /** R5: a row that lost a version to the live set begins a new line. Kept by argument: no schedule so far has needed it. */
  dropBreaksLine: true,
  /** R9: a restored backup takes a new replica id. */
  newReplicaOnRestore: true,
  /** R4: what changes during the round is sent before the claim. */
  sendChangedMeanwhile: true,
  /** R5: the purge line of the claim decides, not that of the start. */
  purgeLineAtClaim: true,
  /** R11: a replica that finds damage forgets its knowledge and takes a new id. */
  damageForgets: true,
};
export type Rules = { readonly [Rule in keyof typeof RULES]: boolean };

export interface Version {
  readonly replica: string;
  readonly seq: number;
  readonly first: number;
  readonly context: Context;
  readonly key: string;
  readonly isTombstone: boolean;
}

export interface Document {
  live: Version[];
  lineStart: number | null;
}

/** Returns a function that hands out the replica ids r1, r2 … of one schedule. */
export function createNames(): () => string {
  let count = 0;
  return () => `r${++count}`;
}

export class Replica {
  readonly rules: Rules;
  id: string;
  seq = 0;
  docs = new Map<string, Document>();
  known: Vector = new Map();
  purged: Vector = new Map();
  /** The keys that changed: one set per open session that sends from here. */
  readonly watchers = new Set<Set<string>>();

  constructor(rules: Rules, id: string) {
    this.rules = rules;
    this.id = id;
  }

  live(key: string): readonly Version[] {
    return this.docs.get(key)?.live ?? [];
  }

  allLive(): Version[] {
    return [...this.docs.values()].flatMap((doc) => doc.live);
  }

  /** R3: the versions that a reader resolves. A concurrent write survives a delete that had not seen it. */
  values(key: string): Version[] {
    return this.live(key).filter((version) => !version.isTombstone);
  }

  /** R1: a local write replaces every version that this replica can see of the document. */
  write(key: string, isTombstone: boolean): Version {
    const doc = this.docs.get(key) ?? { live: [], lineStart: null };
    const context: Context = new Map();
    for (const seen of doc.live) {
      seeAll(context, seen.context);
      see(context, seen.replica, { first: seen.first, last: seen.seq });
    }
    const seq = ++this.seq;
    doc.lineStart ??= seq;
    const first = this.rules.lines ? doc.lineStart : 1;
    const version = { replica: this.id, seq, first, context, key, isTombstone };
    doc.live = [version];
    this.docs.set(key, doc);
    this.known.set(this.id, seq);
    this.#changed(key);
    return version;
  }

  /** R2: merges one remote version. Idempotent and independent of order. */
  apply(version: Version): void {
    const doc = this.docs.get(version.key) ?? { live: [], lineStart: null };
    if (doc.live.some((held) => dotOf(held) === dotOf(version) || hasSeen(held.context, version))) return;
    if (this.rules.knownDrop && covers(this.known, version)) return;
    doc.live = [...doc.live.filter((held) => !hasSeen(version.context, held)), version];
    this.docs.set(version.key, doc);
    this.#changed(version.key);
  }

  /** R7: forgets deleted documents once knowledge covers their tombstones and all that they replaced. */
  purge(): void {
    for (const [key, { live }] of this.docs) {
      if (!live.every((version) => version.isTombstone && this.#mayPurge(version))) continue;
      for (const tombstone of live) raise(this.purged, tombstone);
      this.docs.delete(key);
    }
  }

  /** Whether the write is held here, was replaced here, or was known and purged. */
  includes(version: Version): boolean {
    if (covers(this.known, version)) return true;
    return this.live(version.key).some((held) => dotOf(held) === dotOf(version) || hasSeen(held.context, version));
  }

  /** R5: drops the versions for which `isKept` is false: those that the sender knew and no longer holds. */
  keepOnly(isKept: (version: Version) => boolean): void {
    for (const [key, doc] of this.docs) {
      const kept = doc.live.filter(isKept);
      if (kept.length === doc.live.length) continue;
      if (kept.length === 0) {
        this.docs.delete(key);
        continue;
      }
      doc.live = kept;
      if (this.rules.dropBreaksLine) doc.lineStart = null;
    }
  }

  /** R11: forgets all knowledge and takes a new id, as after a damaged row. */
  forget(newId: string): void {
    this.known = new Map();
    this.id = newId;
    this.seq = 0;
    for (const doc of this.docs.values()) doc.lineStart = null;
  }

  /** A copy of rows and vectors: under the same id, or (R9) as a new life under `id`. */
  copy(id: string, isNewLife: boolean): Replica {
    const copy = new Replica(this.rules, isNewLife ? id : this.id);
    copy.seq = isNewLife ? 0 : this.seq;
    for (const [key, { live, lineStart }] of this.docs) {
      copy.docs.set(key, { live: [...live], lineStart: isNewLife ? null : lineStart });
    }
    copy.known = new Map(this.known);
    copy.purged = new Map(this.purged);
    return copy;
  }

  #changed(key: string): void {
    for (const watcher of this.watchers) watcher.add(key);
  }

  #mayPurge(tombstone: Version): boolean {
    if (!this.rules.purgeOnlyKnown) return true;
    const isKnown = (replica: string, seq: number) => covers(this.known, { replica, seq });
    return (
      covers(this.known, tombstone) &&
      [...tombstone.context].every(([replica, lines]) => lines.every(({ last }) => isKnown(replica, last)))
    );
  }
}

/** R4–R6: one round in a single moment, cut after `budget` messages. Returns true if it reached the claim. */
export function round(from: Replica, to: Replica, budget: number, rules: Rules): boolean {
  const needsLiveSet = rules.reconcileWhenPurged && !dominates(to.known, from.purged);
  if (!rules.claimAtEnd) join(to.known, from.known);
  const delta = from.allLive().filter((version) => !covers(to.known, version));
  delta.sort((a, b) => (a.replica < b.replica ? -1 : a.replica > b.replica ? 1 : a.seq - b.seq));
  for (const version of delta.slice(0, budget)) to.apply(version);
  if (delta.length >= budget) return false;
  claim(from, to, rules, needsLiveSet);
  return true;
}

/** R4–R6: the receiver adopts the sender's knowledge and purge line. After a purge, the sender's live set decides what must go. */
function claim(from: Replica, to: Replica, rules: Rules, needsLiveSet: boolean): void {
  if (rules.reconcileWhenPurged && needsLiveSet) {
    const alive = new Set(from.allLive().map(dotOf));
    to.keepOnly((version) => alive.has(dotOf(version)) || !covers(from.known, version));
  }
  join(to.known, from.known);
  if (rules.inheritPurged) join(to.purged, from.purged);
}

/** R4 message by message, while both ends keep changing: what was live at the start, what changed since, then the claim. */
export class Session {
  readonly from: Replica;
  readonly to: Replica;
  readonly #rules: Rules;
  readonly #purgedAtStart: Vector;
  readonly #wanted: Vector;
  readonly #queue: Version[];
  readonly #changedKeys = new Set<string>();

  constructor(from: Replica, to: Replica, rules: Rules) {
    this.from = from;
    this.to = to;
    this.#rules = rules;
    this.#purgedAtStart = new Map(from.purged);
    this.#wanted = new Map(to.known);
    this.#queue = from.allLive().filter((version) => !covers(this.#wanted, version));
    from.watchers.add(this.#changedKeys);
  }

  close(): void {
    this.from.watchers.delete(this.#changedKeys);
  }

  /** Sends one message. Returns true if it was the claim. */
  step(): boolean {
    const { from, to } = this;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (!from.live(next.key).includes(next)) continue; // replaced since; the replacement is among the changed keys
      to.apply(next);
      return false;
    }
    const [key] = this.#changedKeys;
    if (this.#rules.sendChangedMeanwhile && key !== undefined) {
      this.#changedKeys.delete(key);
      for (const version of from.live(key)) if (!covers(this.#wanted, version)) to.apply(version);
      return false;
    }
    claim(
      from,
      to,
      this.#rules,
      !dominates(this.#wanted, this.#rules.purgeLineAtClaim ? from.purged : this.#purgedAtStart),
    );
    this.close();
    return true;
  }
}
