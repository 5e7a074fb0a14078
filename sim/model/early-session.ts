import type { AttackCounts, EarlyOptions } from './attack-options.ts';
import { type AttackReplica, joinVectors, placeOf, type Version } from './attack-replica.ts';
import { cursorOf, raiseCursor, reachedBy } from './cursors.ts';
import { type Pick, pickOne } from './random.ts';
import { covers, type Dotted, dominates, dotOf, raise, type Vector } from './vectors.ts';

type Message =
  | { readonly kind: 'version'; readonly version: Version; readonly reached?: Dotted }
  | { readonly kind: 'claim without live set'; readonly known: Vector; readonly purged: Vector }
  | { readonly kind: 'begin'; readonly known: Vector }
  | { readonly kind: 'list'; readonly key: string; readonly dots: ReadonlySet<string> }
  | { readonly kind: 'lists end' }
  | { readonly kind: 'answer'; readonly dots: readonly { readonly dot: string; readonly isLive: boolean }[] }
  | { readonly kind: 'claim'; readonly known: Vector; readonly purged: Vector };

interface Question {
  readonly key: string;
  readonly dot: string;
}

/**
 * R5 in several messages:
 *
 * 1. the delta;
 * 2. K_T, the sender's knowledge at a moment when nothing was unsent;
 * 3. lists of the live set, each of its own moment and sent after what changed before it;
 * 4. questions about every held version under K_T that no list confirmed;
 * 5. the claim.
 */
export class EarlySession {
  readonly from: AttackReplica;
  readonly to: AttackReplica;
  readonly #options: EarlyOptions;
  readonly #counts: AttackCounts;
  readonly #pick: Pick;
  readonly #keys: readonly string[];
  readonly #wanted: Vector;
  /** Messages on their way to the receiver; `#up` holds the questions on their way to the sender. */
  readonly #down: Message[] = [];
  readonly #up: (readonly Question[])[] = [];
  // State of the sender.
  #phase: 'delta' | 'lists' | 'answering' = 'delta';
  #queue: Version[] = [];
  /** With cursors: replicas whose versions are still to be sent, what was known when the delta began, how far it came. */
  #replicas: string[] = [];
  #knownAtStart: Vector = new Map();
  #afterSeq = 0;
  readonly #resume: Vector;
  #unlisted: string[] = [];
  #purgedThen: Vector = new Map();
  readonly #looked: Set<string>;
  // State of the receiver.
  #claims = 0;
  #early: Vector = new Map();
  #confirmed = new Set<string>();
  #gone = new Set<string>();

  constructor(
    from: AttackReplica,
    to: AttackReplica,
    options: EarlyOptions,
    counts: AttackCounts,
    pick: Pick,
    keys: readonly string[],
  ) {
    this.from = from;
    this.to = to;
    this.#options = options;
    this.#counts = counts;
    this.#pick = pick;
    this.#keys = keys;
    this.#wanted = new Map(to.known);
    this.#resume = new Map(cursorOf(from, to));
    this.#looked = from.livePlaces();
    this.#beginDelta();
  }

  /** One event at one end. Returns true once the session's last claim was made. */
  step(): boolean {
    if (!this.#options.isQueued) return this.#stepLocked();
    const possible: (() => boolean)[] = [];
    if (this.#down.length > 0) possible.push(() => this.#receive(this.#down.shift()!));
    if (this.#up.length > 0) possible.push(() => this.#answer(this.#up.shift()!));
    if (this.#phase !== 'answering') possible.push(() => this.#send());
    return pickOne(this.#pick, possible)();
  }

  /** The sender takes one step, and everything is delivered and answered at once. */
  #stepLocked(): boolean {
    this.#send();
    while (this.#down.length + this.#up.length > 0) {
      const message = this.#down.shift();
      if (message) {
        if (this.#receive(message)) return true;
      } else this.#answer(this.#up.shift()!);
    }
    return false;
  }

  #send(): boolean {
    if (this.#phase === 'delta') this.#sendDelta();
    else if (this.#phase === 'lists') this.#sendList();
    return false;
  }

  #beginDelta(): void {
    const { from } = this;
    const wanted = from.allLive().filter((version) => !covers(this.#wanted, version));
    this.#counts.resumed += wanted.filter((version) => covers(this.#resume, version)).length;
    this.#knownAtStart = new Map(from.known);
    if (from.options.cursors) {
      this.#replicas = [...new Set(wanted.map(({ replica }) => replica))].sort();
      this.#enterReplica();
    } else this.#queue = wanted;
  }

  #enterReplica(): void {
    const replica = this.#replicas[0] ?? '';
    this.#afterSeq = Math.max(this.#wanted.get(replica) ?? 0, this.#resume.get(replica) ?? 0);
  }

  /** R4: one replica after another, in order of seq. Each version is read when its turn comes. */
  #sendNextOfReplica(): boolean {
    while (this.#replicas.length > 0) {
      const left = this.from
        .allLive()
        .filter(({ replica, seq }) => replica === this.#replicas[0] && seq > this.#afterSeq);
      const version = left.sort((a, b) => a.seq - b.seq)[0];
      if (version !== undefined) this.#sendOfReplica(version, left.length === 1);
      if (left.length <= 1) {
        this.#replicas.shift();
        this.#enterReplica();
      }
      if (version !== undefined) return true;
    }
    return false;
  }

  #sendOfReplica(version: Version, isLast: boolean): void {
    const reached = reachedBy(this.from, version, isLast, this.#knownAtStart);
    raise(this.#resume, reached);
    this.#afterSeq = version.seq;
    this.#down.push({ kind: 'version', version, reached });
  }

  #sendDelta(): void {
    const { from } = this;
    if (this.#sendNextOfReplica()) return;
    for (let version = this.#queue.shift(); version; version = this.#queue.shift()) {
      if (from.live(version.key).includes(version)) return void this.#down.push({ kind: 'version', version });
    }
    const changed = this.#changed();
    for (const version of changed) this.#down.push({ kind: 'version', version });
    if (changed.length > 0 && this.#pick(2) > 0) return;
    const known = new Map(from.known);
    this.#purgedThen = new Map(from.purged);
    if (dominates(this.#wanted, from.purged)) {
      this.#phase = 'answering';
      this.#down.push({ kind: 'claim without live set', known, purged: this.#purgedThen });
      return;
    }
    this.#phase = 'lists';
    this.#unlisted = [...this.#keys];
    this.#down.push({ kind: 'begin', known });
  }

  #sendList(): void {
    this.#streamChanges();
    const key = this.#unlisted.splice(this.#pick(this.#unlisted.length), 1)[0]!;
    this.#down.push({ kind: 'list', key, dots: new Set(this.from.live(key).map(dotOf)) });
    if (this.#unlisted.length > 0) return;
    this.#phase = 'answering';
    this.#down.push({ kind: 'lists end' });
  }

  #answer(questions: readonly Question[]): false {
    this.#streamChanges();
    const isLive = ({ key, dot }: Question) => this.from.live(key).some((version) => dotOf(version) === dot);
    this.#down.push({ kind: 'answer', dots: questions.map((q) => ({ dot: q.dot, isLive: isLive(q) })) });
    this.#down.push({ kind: 'claim', known: new Map(this.from.known), purged: new Map(this.from.purged) });
    return false;
  }

  #streamChanges(): void {
    if (this.#options.answersBeforeChanges) return;
    for (const version of this.#changed()) this.#down.push({ kind: 'version', version });
  }

  /** Versions that reached the sender since the last look and that the receiver is not known to know. */
  #changed(): Version[] {
    const fresh = this.from.allLive().filter((version) => !this.#looked.has(placeOf(version)));
    for (const version of fresh) this.#looked.add(placeOf(version));
    return fresh.filter((version) => !covers(this.#wanted, version));
  }

  /** Returns true at the session's last claim. */
  #receive(message: Message): boolean {
    switch (message.kind) {
      case 'version':
        this.to.apply(message.version);
        if (message.reached) raiseCursor(this.from, this.to, message.reached);
        return false;
      case 'claim without live set':
        joinVectors(this.to, message.known, message.purged);
        return this.#isLastClaim(message.known);
      case 'begin':
        this.#early = message.known;
        this.#confirmed = new Set();
        this.#gone = new Set();
        return false;
      case 'list':
        for (const version of this.to.live(message.key)) {
          if (covers(this.#early, version)) this.#note(dotOf(version), message.dots.has(dotOf(version)));
        }
        return false;
      case 'lists end':
        this.#ask(this.#unconfirmed());
        return false;
      case 'answer':
        for (const { dot, isLive } of message.dots) this.#note(dot, isLive);
        return false;
      case 'claim':
        if (!this.#dropSlice(message.purged)) return this.#claim(message.known, message.purged);
        this.#down.unshift(message);
        return false;
    }
  }

  #note(dot: string, isLive: boolean): void {
    (isLive ? this.#confirmed : this.#gone).add(dot);
  }

  #unconfirmed(): Version[] {
    const isAnswered = (dot: string) => this.#confirmed.has(dot) || this.#gone.has(dot);
    return this.to.allLive().filter((version) => covers(this.#early, version) && !isAnswered(dotOf(version)));
  }

  #ask(versions: readonly Version[]): void {
    this.#up.push(versions.map((version) => ({ key: version.key, dot: dotOf(version) })));
  }

  #claim(knownNow: Vector, purgedNow: Vector): boolean {
    const unconfirmed = this.#unconfirmed();
    if (unconfirmed.length > 0 && !this.#options.doesNotAskAgain) {
      this.#counts.early.askedAgain++;
      this.#ask(unconfirmed);
      return false;
    }
    this.#countClaim(knownNow, purgedNow);
    const known = this.#options.claimsLaterKnowledge ? knownNow : this.#early;
    const isGone = this.#options.dropsUnconfirmed
      ? (version: Version) => covers(known, version) && !this.#confirmed.has(dotOf(version))
      : (version: Version) => this.#gone.has(dotOf(version));
    this.#counts.early.dropped += this.to.drop((version) => isGone(version) && !this.#isNeeded(version));
    joinVectors(this.to, known, this.#purgeLine(purgedNow));
    return this.#isLastClaim(known);
  }

  /** Drops one version ahead of the claim. Returns false if none may go, or if the rest is left to the claim itself. */
  #dropSlice(purgedNow: Vector): boolean {
    const { slices } = this.#options;
    if (slices === undefined || this.#pick(4) === 0) return false;
    const mayGo = (version: Version): boolean =>
      this.#gone.has(dotOf(version)) && (slices === 'all' || this.#isKnownWhole(version));
    const version = this.to.allLive().find(mayGo);
    if (version === undefined) return false;
    this.#counts.early.sliced += this.to.drop((held) => held === version);
    if (slices !== 'lineLate') joinVectors(this.to, new Map(), purgedNow);
    return true;
  }

  #isKnownWhole(version: Version): boolean {
    const { known } = this.to;
    return covers(known, version) && lastOfEach(version).every((dot) => covers(known, dot));
  }

  /**
   * After the beginning, the sender may have learned what the tombstone replaced, and purged it. Then this tombstone is all
   * that the receiver has against those writes.
   */
  #isNeeded(version: Version): boolean {
    if (!version.isTombstone || this.#options.dropsNeededTombstones) return false;
    return !lastOfEach(version).every((dot) => covers(this.#early, dot) || covers(this.to.known, dot));
  }

  #purgeLine(purgedNow: Vector): Vector {
    if (this.#options.purgeLine === 'none') return new Map();
    return this.#options.purgeLine === 'ofBeginning' ? this.#purgedThen : purgedNow;
  }

  #countClaim(knownNow: Vector, purgedNow: Vector): void {
    this.#counts.liveSets++;
    this.#counts.early.completed++;
    if (!dominates(this.#purgedThen, purgedNow)) this.#counts.early.purgedMeanwhile++;
    if (!dominates(this.#early, knownNow)) this.#counts.early.learnedMeanwhile++;
  }

  /** R8: the session goes on, and the sender's view of the receiver's knowledge rises by the claim. */
  #isLastClaim(known: Vector): boolean {
    if (++this.#claims >= (this.#options.claims ?? 1)) return true;
    for (const [replica, seq] of known) this.#wanted.set(replica, Math.max(seq, this.#wanted.get(replica) ?? 0));
    this.#phase = 'delta';
    if (this.from.options.cursors && this.#pick(4) === 0) this.#beginDelta();
    return false;
  }
}

/** The last dot of each line of a version's context. */
function lastOfEach({ context }: Version): Dotted[] {
  return [...context].flatMap(([replica, lines]) => lines.map(({ last }) => ({ replica, seq: last })));
}
