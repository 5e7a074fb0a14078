// The replication rules, executable: no I/O and no clock. It exists to find mistakes in the rules before they are code.
// explore.ts drives it through random schedules; every rule has a switch, and with any of them off (a mutant) the
// exploration must find a counterexample. attacks.ts adds directed attacks and the variants that were refused.
import { type Context, covers, dominates, dotOf, hasSeen, join, raise, see, seeAll, type Vector } from './vectors.ts';

/** One switch per rule that a plausible draft left out. All on: the rules as they stand. */
export const RULES = {
  /** R2: a remote version that knowledge covers is ignored, though no version here replaced it: it was purged. */
  knownDrop: true,
  /** R4: knowledge moves with the claim, not with the start of the round. */
  claimAtEnd: true,
  /** R5: the live set decides where the purge line is not covered. */
  reconcileWhenPurged: true,
  /** R6: the purge line is adopted with the claim. */
  inheritPurged: true,
  /** R7: only what knowledge covers, contexts included, is purged. */
  purgeOnlyKnown: true,
  /** R1: a context names unbroken lines, not everything up to a seq. */
  lines: true,
  /** R5: a row that lost a version to the live set begins a new line. Kept by argument: no schedule found so far needs it. */
  dropBreaksLine: true,
  /** R9: a restored backup takes a new replica id. */
  newReplicaOnRestore: true,
  /** R4: what changes during the round is sent before the claim. */
  sendChangedMeanwhile: true,
  /** R5: the purge line of the claim decides, not that of the start. */
  purgeLineAtClaim: true,
  /** R11: who finds damage forgets its knowledge and takes a new id. */
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

/** Hands out replica ids r1, r2 … of one schedule. */
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
  /** Keys changed, one set per open session that sends from here. */
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

  /** R3: what a reader resolves. A concurrent write survives a delete that had not seen it. */
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

  /** R2: merges one remote version; idempotent, in any order. */
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

  /** R5: drops what the sender knew and no longer holds. */
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

  /** R11: what follows from a damaged row. */
  forget(newId: string): void {
    this.known = new Map();
    this.id = newId;
    this.seq = 0;
    for (const doc of this.docs.values()) doc.lineStart = null;
  }

  /** The same rows and vectors: under the same id, or (R9) as another life under `id`. */
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

/** R4–R6: one round at one moment, cut after `budget` messages; true when it came to the claim. */
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

/** R4–R6: the sender's knowledge and purge line pass to the receiver; after a purge its live set decides what must go. */
function claim(from: Replica, to: Replica, rules: Rules, needsLiveSet: boolean): void {
  if (rules.reconcileWhenPurged && needsLiveSet) {
    const alive = new Set(from.allLive().map(dotOf));
    to.keepOnly((version) => alive.has(dotOf(version)) || !covers(from.known, version));
  }
  join(to.known, from.known);
  if (rules.inheritPurged) join(to.purged, from.purged);
}

/** R4 message by message, while both ends go on: what was live at the start, then what changed meanwhile, then the claim. */
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

  /** One message; true when it was the claim. */
  step(): boolean {
    const { from, to } = this;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      if (!from.live(next.key).includes(next)) continue; // replaced since: the replacement is among what changed
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
