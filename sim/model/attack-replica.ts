import type { AttackOptions } from './attack-options.ts';
import {
  type Context,
  copyContext,
  covers,
  type Dotted,
  dotOf,
  hasSeen,
  join,
  lineCount,
  raise,
  see,
  seeAll,
  type Vector,
} from './vectors.ts';

/** A version with its ground truth: `value` tells two contents of one dot apart. */
export interface Version {
  readonly replica: string;
  readonly seq: number;
  readonly first: number;
  readonly context: Context;
  readonly key: string;
  readonly isTombstone: boolean;
  /** Unique in the schedule. */
  readonly value: number;
  /** Values that this one truly replaced, directly or not. */
  readonly ancestors: ReadonlySet<number>;
  readonly isPruned: boolean;
}

export interface Document {
  live: Version[];
  lineStart: number | null;
}

/** Counters from which one schedule names its replicas, the processes that run them, and values. */
export interface Names {
  replicas: number;
  processes: number;
  values: number;
}

/** A replica of the model with identity checks, resume cursors and the candidate rules that attacks try. */
export class AttackReplica {
  readonly options: AttackOptions;
  readonly names: Names;
  id: string;
  /** A restart, a restored backup and a twin each have a process of their own. */
  readonly process: number;
  seq = 0;
  docs = new Map<string, Document>();
  known: Vector = new Map();
  /** Dots known beyond `known`, with `extraDots`. */
  extra = new Set<string>();
  purged: Vector = new Map();
  readonly cursorsBySender = new Map<string, Vector>();
  /** Own checks by seq; `checks` holds the newest check heard of each replica. */
  chain = new Map<number, number>();
  checks = new Map<string, number>();
  /** Where this life parted from another with the same id. */
  forkedAt = 0;

  constructor(options: AttackOptions, names: Names) {
    this.options = options;
    this.names = names;
    this.id = `r${++names.replicas}`;
    this.process = ++names.processes;
  }

  live(key: string): readonly Version[] {
    return this.docs.get(key)?.live ?? [];
  }

  allLive(): Version[] {
    return [...this.docs.values()].flatMap((doc) => doc.live);
  }

  /** Places, as key and dot, of all live versions. */
  livePlaces(): Set<string> {
    return new Set(this.allLive().map(placeOf));
  }

  values(key: string): Version[] {
    return this.live(key).filter((version) => !version.isTombstone);
  }

  knows(dot: Dotted): boolean {
    return covers(this.known, dot) || this.extra.has(dotOf(dot));
  }

  write(key: string, isTombstone: boolean): Version {
    const doc = this.docs.get(key) ?? { live: [], lineStart: null };
    const context: Context = new Map();
    const ancestors = new Set<number>();
    for (const seen of doc.live) {
      seeAll(context, seen.context);
      see(context, seen.replica, { first: seen.first, last: seen.seq });
      for (const value of [seen.value, ...seen.ancestors]) ancestors.add(value);
    }
    const { replica, seq } = this.nextDot();
    doc.lineStart ??= seq;
    const isPruned = this.options.pruneFlagTravels === true && doc.live.some((seen) => seen.isPruned);
    const value = ++this.names.values;
    const version = { replica, seq, first: doc.lineStart, context, key, isTombstone, value, ancestors, isPruned };
    if (isPruned) raise(this.purged, version);
    doc.live = [version];
    this.docs.set(key, doc);
    this.extendChain(version);
    return version;
  }

  apply(version: Version): void {
    if (this.options.pruneFlagTravels && version.isPruned) raise(this.purged, version);
    const doc = this.docs.get(version.key) ?? { live: [], lineStart: null };
    const same = doc.live.find((held) => dotOf(held) === dotOf(version));
    if (same) {
      if (this.options.joinContexts) joinContexts(doc, same, version);
      return;
    }
    if (doc.live.some((held) => hasSeen(held.context, version)) || this.knows(version)) return;
    doc.live = [...doc.live.filter((held) => !hasSeen(version.context, held)), version];
    this.docs.set(version.key, doc);
  }

  purge(): void {
    for (const [key, { live }] of this.docs) {
      if (!live.every((version) => version.isTombstone && this.#knowsWhole(version))) continue;
      for (const tombstone of live) raise(this.purged, tombstone);
      this.docs.delete(key);
    }
  }

  /** R5: drops the versions for which `isGone`. */
  drop(isGone: (version: Version) => boolean): number {
    let dropped = 0;
    for (const [key, doc] of this.docs) {
      const kept = doc.live.filter((version) => !isGone(version));
      if (kept.length === doc.live.length) continue;
      dropped += doc.live.length - kept.length;
      if (kept.length === 0) this.docs.delete(key);
      else Object.assign(doc, { live: kept, lineStart: null });
    }
    return dropped;
  }

  /** Rejected: forgets context lines whose last dot is known, as a purge forgets tombstones. */
  pruneContexts(): void {
    for (const doc of this.docs.values()) doc.live = doc.live.map((version) => this.#prune(version));
  }

  joinKnown(from: AttackReplica): void {
    for (const [replica, seq] of from.known) {
      if (covers(this.known, { replica, seq })) continue;
      this.known.set(replica, seq);
      const check = from.checks.get(replica);
      if (check === undefined) this.checks.delete(replica);
      else this.checks.set(replica, check);
    }
  }

  /** R9: takes another id. No line and no stream of the old one goes on. */
  beginNewLife(): void {
    if (this.options.cursors !== 'outlivesRows') this.cursorsBySender.clear();
    this.chain = new Map();
    this.id = `r${++this.names.replicas}`;
    this.seq = 0;
    for (const doc of this.docs.values()) doc.lineStart = null;
  }

  nextDot(): Dotted {
    const seq = ++this.seq;
    this.known.set(this.id, seq);
    return { replica: this.id, seq };
  }

  /** The running hash over this replica's commits; only its owner can compute it. */
  extendChain({ seq, value }: Version): void {
    const check = ((this.chain.get(seq - 1) ?? 7) * 31 + value * 2654435761) % 4294967291;
    this.chain.set(seq, check);
    this.checks.set(this.id, check);
  }

  /** A copy under a new id (a restored backup), or under the same one (a twin or rollback). */
  copy(isNewLife: boolean): AttackReplica {
    const copy = new AttackReplica(this.options, this.names);
    for (const [key, { live, lineStart }] of this.docs) {
      copy.docs.set(key, { live: [...live], lineStart: isNewLife ? null : lineStart });
    }
    Object.assign(copy, { known: new Map(this.known), extra: new Set(this.extra), purged: new Map(this.purged) });
    copy.checks = new Map(this.checks);
    if (isNewLife) return copy;
    this.names.replicas--;
    for (const [sender, cursor] of this.cursorsBySender) copy.cursorsBySender.set(sender, new Map(cursor));
    Object.assign(copy, { id: this.id, seq: this.seq, chain: new Map(this.chain), forkedAt: this.seq });
    this.forkedAt = this.seq;
    return copy;
  }

  #knowsWhole(version: Version): boolean {
    return (
      this.knows(version) &&
      [...version.context].every(([replica, lines]) => lines.every(({ last }) => this.knows({ replica, seq: last })))
    );
  }

  #prune(version: Version): Version {
    const context: Context = new Map();
    for (const [replica, lines] of version.context) {
      const kept = lines.filter(({ last }) => !this.knows({ replica, seq: last }));
      if (kept.length > 0) context.set(replica, kept);
      if (this.options.prune !== 'raiseLine') continue;
      for (const { last } of lines) if (this.knows({ replica, seq: last })) raise(this.purged, { replica, seq: last });
    }
    if (this.options.pruneKnownOnly && !this.knows(version)) return version;
    const isShorter = lineCount(context) < lineCount(version.context);
    if (isShorter && this.options.prune === 'raiseDot') raise(this.purged, version);
    return { ...version, context, isPruned: version.isPruned || isShorter };
  }
}

export function placeOf(version: Version): string {
  return version.key + dotOf(version);
}

function joinContexts(doc: Document, same: Version, other: Version): void {
  const joined = { ...same, context: copyContext(same.context) };
  seeAll(joined.context, other.context);
  doc.live = [...doc.live.filter((held) => held !== same && !hasSeen(joined.context, held)), joined];
}

/** R5 and R6: joins knowledge and a purge line. They may be of one moment, or mixed by the caller. */
export function joinVectors(to: AttackReplica, known: Vector, purged: Vector): void {
  join(to.known, known);
  join(to.purged, purged);
}
