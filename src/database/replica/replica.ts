// Over 400 lines: the one face of the engine. The work of each rule is in a file of its own; what is here is thin.
import { type Clock, HLC_ZERO, SliceSize } from '../../core/clock/index.ts';
import { type Limits, TIMES } from '../../core/config/index.ts';
import {
  type CollectionName,
  createReplicaId,
  type DocumentKey,
  type Random,
  type ReplicaId,
} from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { Resolver } from '../../core/merge/index.ts';
import type {
  ForkProof,
  PlacedDot,
  Reached,
  RemoteClaim,
  RemoteOutcome,
  RemoteVersion,
} from '../../core/replication/index.ts';
import { type Check, FIRST_CHECK, type ForkEvidence, type Known } from '../../core/version/index.ts';
import { countingMark, type Head, type Store, type StoredDocument } from '../../store/index.ts';
import { BoundedLog } from './bounded-log.ts';
import { type CollectionState, emptyCollection, loadCollections } from './collection-state.ts';
import type { CommitRecorder } from './commit-recorder.ts';
import { ConfirmedPoints } from './confirmed-points.ts';
import { ConflictLedger, type Moment } from './conflict-ledger.ts';
import { draftDamage } from './damage.ts';
import { type CommittedDraft, Draft } from './draft.ts';
import { Durability } from './durability.ts';
import { draftEvictedRows, draftEviction, markedEvictions } from './evict.ts';
import { ForkedLives } from './forked-lives.ts';
import { endLife, type FormerLives, formerLivesToText, parseFormerLives } from './former-lives.ts';
import { LivedTime } from './lived-time.ts';
import { draftTransaction } from './local-write.ts';
import { Namesakes } from './namesakes.ts';
import { draftNewLife } from './new-life.ts';
import type { CommitNotice, LocalOutcome, LocalTransaction, NewLife } from './outcomes.ts';
import { draftPurges, type PurgePass } from './purge.ts';
import { markedRecounts, Recount } from './recount.ts';
import {
  type ApplyContext,
  draftClaim,
  draftGone,
  draftVersions,
  proveFork,
  proveUnknownWrite,
  unconfirmedVersions,
} from './remote-apply.ts';
import { draftReresolved } from './reresolve.ts';
import { ResumePoints } from './resume-points.ts';
import { resolverText, ValueResolver } from './value-resolver.ts';

export interface ReplicaOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** With timers that keep the process alive. Default: `clock`. */
  readonly awaitedClock?: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly clockDriftMsMax: number;
  /** The collection's resolver (R3). */
  readonly resolverOf: (collection: CollectionName) => Resolver;
  /** Keeps something of every commit, within it. Default: nothing. */
  readonly recorder?: CommitRecorder;
  /** R9 at open: true when the file's marker proves that this is the same life as before. */
  readonly isSameLife: boolean;
  /** The highest seq that the life before may have acknowledged, where the disk may have lost it. Default 0. */
  readonly reservedSeq?: number;
}

/** Name among the metadata. */
const LIVED = 'lived';
const DIGEST_BYTES = 16;
/** Versions that the first slice of R5 drops. */
const DROP_FIRST = 16;
const COPIED = 'this database file was copied or restored, or it lost its newest writes or its marker';

export type CommitListener = (notice: CommitNotice) => void;

/**
 * The engine on a store: the rules R1–R12 as synchronous steps, each one commit. It knows nothing of sockets, and time
 * only through its clock, so that the simulator runs the very same code. After each commit it tells its listeners, in
 * order; what is durable is a matter of `flush` and `durablePos`.
 */
export class Replica {
  readonly store: Store;
  /** Versions that lost to concurrent ones. */
  readonly conflicts: ConflictLedger;
  readonly #options: ReplicaOptions;
  readonly #listeners = new Set<CommitListener>();
  #head: Head;
  #collections: Map<CollectionName, CollectionState>;
  readonly #durability: Durability;
  readonly #failureListeners = new Set<(cause: unknown) => void>();
  readonly #reloadListeners = new Set<(cause: unknown) => void>();
  /** Rises with every reload: a flush that began before it says nothing about what came after. */
  #isReloadDue = false;
  /** The newest flush: a further one without a commit in between is the same. */
  readonly #values: ValueResolver;
  #formerLives: FormerLives;
  #forkedLives: ForkedLives;
  #evictions: Set<CollectionName>;
  #recounts: Map<CollectionName, Recount>;
  /** R3: the resolver that made the newest page of each collection that is resolved again. */
  readonly #pageResolvers = new Map<CollectionName, string>();
  /** Tombstones that the last purge had to step over; the next one looks behind them. */
  #stuck = 0;
  /** The id under which the file was found. */
  readonly #opened: ReplicaId | undefined;
  #confirmed: ConfirmedPoints;
  #resume: ResumePoints;

  readonly #quarantine: BoundedLog;
  readonly #namesakes: Namesakes;
  readonly #lived: LivedTime;
  readonly #drops: SliceSize;

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.store = options.store;
    this.#values = new ValueResolver({ ...options, monotonic: () => options.clock.monotonic() });
    this.#namesakes = new Namesakes(options.store);
    this.#quarantine = new BoundedLog(options.store, 'quarantine', options.limits.evidenceMax);
    const { conflictsMax, conflictCharactersMax, messageVersionsMax } = options.limits;
    this.#drops = new SliceSize({ min: Math.min(DROP_FIRST, messageVersionsMax), max: messageVersionsMax });
    const retentionMs = TIMES.conflictRetentionMs;
    this.conflicts = new ConflictLedger(options.store, { conflictsMax, conflictCharactersMax, retentionMs });
    const image = options.store.load();
    this.#lived = new LivedTime(options.clock, image.meta.get(LIVED));
    this.#collections = loadCollections(image);
    this.#opened = image.head?.replica;
    this.#head = this.#aboveReserved(
      image.head ?? {
        replica: createReplicaId(options.random),
        seq: 0,
        check: FIRST_CHECK,
        hlc: HLC_ZERO,
        pos: 0,
      },
    );
    this.#durability = new Durability({
      store: options.store,
      pos: () => this.pos,
      onLost: (cause) => this.reload(cause),
    });
    this.#formerLives = parseFormerLives(image.meta.get('lives'));
    this.#forkedLives = ForkedLives.parse(image.meta.get('forked'));
    this.#resume = ResumePoints.parse(image.meta.get('resume'));
    this.#evictions = new Set(markedEvictions(image.meta));
    this.#recounts = markedRecounts(image.meta);
    this.#confirmed = ConfirmedPoints.parse(image.meta.get('confirmed'), true);
    if (this.#isForeign()) this.takeNewLife(COPIED, 'plain');
  }

  /** Called when the store refused a commit. Must neither throw nor commit. Returns what ends it. */
  onCommitFailure(listener: (cause: unknown) => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  /** For what a caller waits for. */
  get awaitedClock(): Clock {
    return this.#options.awaitedClock ?? this.#options.clock;
  }

  get id(): ReplicaId {
    return this.#head.replica;
  }

  /** The id of this life, then those of former lives of this file. */
  ownIds(): ReplicaId[] {
    return [this.id, ...[...this.#formerLives.keys()].filter((id) => id !== this.id)];
  }

  /** R9: tells twins of former lives what they are. */
  ownForks(): ForkEvidence[] {
    return this.#forkedLives.evidence();
  }

  get seq(): number {
    return this.#head.seq;
  }

  get head(): Head {
    return this.#head;
  }

  get pos(): number {
    return this.#head.pos;
  }

  /** Every change up to here survives a crash. */
  get durablePos(): number {
    return this.#durability.pos;
  }

  /** Commits of this process so far, those included that moved nothing but knowledge and have no position. */
  get commits(): number {
    return this.#durability.commits;
  }

  /** How many of them survive a crash. */
  get durableCommits(): number {
    return this.#durability.durableCommits;
  }

  /** How long this database has been in use, ms; what is kept for a time is kept by it. */
  get livedMs(): number {
    return this.#lived.ms;
  }

  get collectionCount(): number {
    return this.#collections.size;
  }

  collections(): IterableIterator<CollectionState> {
    return this.#collections.values();
  }

  /** The state of a collection; an empty one where it does not exist yet. */
  collection(name: CollectionName): CollectionState {
    return this.#collections.get(name) ?? emptyCollection(name, resolverText(this.#options.resolverOf(name)));
  }

  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called whenever `durablePos` has risen. */
  onDurable(listener: () => void): () => void {
    return this.#durability.onDurable(listener);
  }

  /**
   * Called when commits were lost, because a flush failed, and the replica went back to what is durable. What was built on
   * them must be thrown away: cached documents, unacknowledged writes, sessions.
   */
  onReload(listener: (cause: unknown) => void): () => void {
    this.#reloadListeners.add(listener);
    return () => this.#reloadListeners.delete(listener);
  }

  /** True while a resolver runs. It is a program's own code and must not change the database that is asking it. */
  get isResolving(): boolean {
    return this.#values.isRunning;
  }

  /** Whether a change position that this file once gave out, under that id, still means the same; see FormerLives. */
  judgePosition(replica: ReplicaId, pos: number): 'kept' | 'lost' | 'foreign' {
    if (replica === this.id) return pos <= this.pos ? 'kept' : 'foreign';
    const end = this.#formerLives.get(replica);
    if (end === undefined) return 'foreign';
    return pos <= end ? 'kept' : 'lost';
  }

  get(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    return this.store.get(collection, key);
  }

  /** R1. One commit for all transactions; a refused one leaves the others alone. Throws when the store cannot commit. */
  write(transactions: readonly LocalTransaction[]): LocalOutcome[] {
    const draft = this.#draft();
    const outcomes = transactions.map((t) =>
      draftTransaction(draft, t, this.#options.limits, this.#options.resolverOf),
    );
    this.#commit(draft, 'local', undefined);
    return outcomes;
  }

  /**
   * R2, then R4–R6, in one commit; the knowledge of a claim moves with the last versions before it, and what they have
   * `reached` is remembered.
   */
  applyRemote(
    versions: readonly RemoteVersion[],
    claims: readonly RemoteClaim[],
    source?: object,
    reached?: Reached,
  ): RemoteOutcome {
    const draft = this.#draft('once');
    const context = this.#context(draft);
    for (const version of versions) {
      const proof = proveUnknownWrite(context, version);
      if (proof !== undefined) return { kind: 'forked', proof };
    }
    for (const claim of claims) {
      const proof = proveFork(context, claim.knowledge.get(this.id));
      if (proof !== undefined) return { kind: 'forked', proof };
    }
    const { applied, forks: namesakes } = draftVersions(context, versions);
    const forks = [...namesakes];
    for (const claim of claims) {
      const open = unconfirmedVersions(context, claim, this.#options.limits.messageVersionsMax);
      if (open.length > 0) return { kind: 'unconfirmed', collection: claim.collection, versions: open };
      if (this.collection(claim.collection).state === 'wanted') forks.push(...draftClaim(context, claim));
    }
    for (const claim of claims) this.#confirmed.confirm(claim.knowledge.get(this.id));
    const resume = this.#resumeAfter(draft, claims, reached);
    if (resume !== this.#resume) draft.meta('resume', resume.toText());
    this.#commit(draft, 'remote', source);
    this.#resume = resume;
    return { kind: 'applied', applied, forks };
  }

  /** R5: whether so many versions that are gone take more than one slice. */
  isMoreThanSlice(gone: number): boolean {
    return gone > this.#drops.items;
  }

  /**
   * R5, ADR 0015: drops a slice off the end of what is gone, in a commit of its own ahead of the claim. Returns how many it looked
   * at, and which of these have to wait for the claim.
   */
  dropGone(claim: RemoteClaim, gone: readonly PlacedDot[], source?: object): { taken: number; waiting: PlacedDot[] } {
    const monotonic = (): number => this.#options.clock.monotonic();
    return this.#drops.run(monotonic, (items) => {
      const draft = this.#draft('once');
      const slice = gone.slice(-items);
      const waiting = draftGone(this.#context(draft), claim, slice);
      this.#commit(draft, 'remote', source);
      return { taken: slice.length, waiting };
    });
  }

  /** R4: up to where the sender need not send again what it sent before its stream was cut. */
  resumePoints(sender: ReplicaId, life: string, collection: CollectionName): ReadonlyMap<ReplicaId, number> {
    return this.#resume.of(sender, life, collection);
  }

  /** R9 at meeting; undefined when what a peer knows of my replica is a point of my own history, which then counts as confirmed. */
  meetKnowledge(known: Known | undefined): ForkProof | undefined {
    const proof = proveFork(this.#context(this.#draft()), known);
    if (proof === undefined) this.#confirmed.confirm(known);
    return proof;
  }

  /** True when (seq, check) is a point of my own history, or too old to tell. */
  isOwnHistory(seq: number, check: Check): boolean {
    return proveFork(this.#context(this.#draft()), { seq, check }) === undefined;
  }

  /**
   * R9: a new id before the next write. `forked`: versions of the old id beyond a point that was shared before are written again
   * under the new one, and what is known of the old id is lowered to that point. Sessions must be closed by the caller.
   */
  takeNewLife(why: string, kind: 'plain' | 'forked'): NewLife {
    const draft = this.#draft();
    const before = this.id;
    const after = createReplicaId(this.#options.random);
    const confirmed = kind === 'forked' ? this.#confirmed.beforeFork() : { seq: this.seq, check: this.#head.check };
    const rewritten = draftNewLife(
      { draft, store: this.store, collections: [...this.#collections.values()] },
      before,
      after,
      confirmed,
      kind,
      this.#options.limits,
    );
    const forkedLives = kind === 'forked' ? this.#forkedLives.with(this.head) : this.#forkedLives;
    if (kind === 'forked') draft.meta('forked', forkedLives.toText());
    this.#commitLife(draft);
    this.#forkedLives = forkedLives;
    const life: NewLife = { before, after, why, rewritten, confirmedSeq: confirmed.seq };
    this.#options.logger.warn({ ...life }, 'this node took a new replica id');
    return life;
  }

  /** R7. One bounded batch, oldest first; and what the conflict ledger has kept long enough goes. */
  purge(retentionMs: number, limit: number): PurgePass {
    const draft = this.#draft();
    const pass = draftPurges(draft, this.store, this.#options.clock.now() - retentionMs, limit + this.#stuck);
    this.#stuck = pass.stuck;
    this.conflicts.forgetOld(draft, this.livedMs);
    this.#options.recorder?.forgetOld(draft, this.livedMs);
    this.#commit(draft, 'own', undefined);
    return pass;
  }

  /**
   * R11: forgets what is known of a damaged collection, takes a new id and keeps every readable row. Its sums are counted anew
   * by `recountDamaged`.
   */
  forgetDamaged(collection: CollectionName, keys: readonly DocumentKey[], why: string): NewLife {
    const before = this.id;
    const after = createReplicaId(this.#options.random);
    const draft = this.#draft();
    draftDamage(draft, this.collection(collection), keys, this.#options.random.bytes(DIGEST_BYTES));
    draft.beginLife(after, FIRST_CHECK);
    const confirmedSeq = this.seq;
    this.#commitLife(draft);
    this.#recounts.set(collection, new Recount(collection));
    return { before, after, why, rewritten: 0, confirmedSeq };
  }

  /**
   * R11: counts one slice of a damaged collection. Done, it returns the keys of rows that turned out to be damaged as well, which
   * must be forgotten in their turn; null: there is more to count.
   */
  recountDamaged(collection: CollectionName, limit: number): readonly DocumentKey[] | null {
    const draft = this.#draft();
    const recount = this.#recounts.get(collection);
    if (recount === undefined) return [];
    if (!recount.count(this.store, limit)) return null;
    if (recount.damaged.length > 0) return recount.damaged;
    draft.recount(collection, recount.documents, recount.sum);
    draft.meta(countingMark(collection), null);
    this.#commit(draft, 'own', undefined);
    this.#recounts.delete(collection);
    return [];
  }

  /** Damaged collections whose sums are not counted yet, in this life or in one before. */
  pendingRecounts(): CollectionName[] {
    return [...this.#recounts.keys()];
  }

  isRecounting(collection: CollectionName): boolean {
    return this.#recounts.has(collection);
  }

  /** R12, first step: knowledge of the collection goes, the id is new, nothing comes in any more. Then `evictRows`. */
  beginEviction(collection: CollectionName): NewLife {
    const before = this.id;
    const after = createReplicaId(this.#options.random);
    const confirmedSeq = this.seq;
    const draft = this.#draft();
    draftEviction(draft, collection, after);
    draft.meta(countingMark(collection), null);
    this.#commitLife(draft);
    this.#recounts.delete(collection);
    this.#evictions.add(collection);
    return { before, after, why: `collection ${collection} is evicted`, rewritten: 0, confirmedSeq };
  }

  /**
   * R12: drops one slice of the rows; true when it was the last. Nothing goes where no eviction runs, because it was done, or
   * because its beginning was lost with a failed flush: rows that knowledge covers must stay (I4).
   */
  evictRows(collection: CollectionName, limit: number): boolean {
    if (!this.#evictions.has(collection)) return true;
    const draft = this.#draft();
    const isDone = draftEvictedRows(draft, this.store, collection, limit);
    this.#commit(draft, 'own', undefined);
    if (isDone) this.#evictions.delete(collection);
    return isDone;
  }

  /** Collections whose eviction has begun and is not done, in this life or in one before. */
  pendingEvictions(): CollectionName[] {
    return [...this.#evictions];
  }

  /** R3: collections whose values were made by another resolver, or another revision of it, than they have now. */
  staleCollections(): CollectionName[] {
    const isStale = ({ name, resolver }: CollectionState): boolean =>
      resolver !== resolverText(this.#options.resolverOf(name));
    return [...this.#collections.values()].filter(isStale).map(({ name }) => name);
  }

  /**
   * R3: resolves one page of the collection again. Returns the key to go on after, or null when all is done. It begins anew
   * where the resolver is another one than that of the page before.
   */
  resolveAgain(collection: CollectionName, after: DocumentKey | null, limit: number): DocumentKey | null {
    const draft = this.#draft();
    const text = resolverText(this.#options.resolverOf(collection));
    const from = this.#pageResolvers.get(collection) === text ? after : null;
    const next = draftReresolved(draft, this.store, collection, from, limit, text);
    this.#commit(draft, 'own', undefined);
    if (next === null) this.#pageResolvers.delete(collection);
    else this.#pageResolvers.set(collection, text);
    return next;
  }

  /** R12: stops or resumes wanting a collection; rows and knowledge stay. */
  setWanted(collection: CollectionName, isWanted: boolean): void {
    const draft = this.#draft();
    draft.setState(collection, isWanted ? 'wanted' : 'frozen');
    this.#commit(draft, 'own', undefined);
  }

  /** Side tables and small state, for the services above. */
  commitEntries(change: (draft: Draft) => void): void {
    const draft = this.#draft();
    change(draft);
    this.#commit(draft, 'own', undefined);
  }

  /**
   * Resolves when every commit so far is durable. When the store cannot make it so, the replica goes back to what is
   * durable, tells `onReload`, and every call that waits rejects.
   */
  flush(): Promise<void> {
    return this.#durability.flush();
  }

  /** After the store went back to what is durable: a failed sync, a crash in the simulator. */
  reload(cause?: unknown): void {
    this.#isReloadDue = true;
    const image = this.store.load();
    this.#isReloadDue = false;
    this.#collections = loadCollections(image);
    this.#head = this.#aboveReserved(image.head ?? { ...this.#head, seq: 0, check: FIRST_CHECK });
    this.#durability.restart();
    this.#formerLives = parseFormerLives(image.meta.get('lives'));
    this.#forkedLives = ForkedLives.parse(image.meta.get('forked'));
    this.#resume = ResumePoints.parse(image.meta.get('resume'));
    this.#evictions = new Set(markedEvictions(image.meta));
    this.#recounts = markedRecounts(image.meta);
    this.#pageResolvers.clear();
    this.conflicts.reset();
    this.#lived.unsaved();
    this.#options.recorder?.reset();
    this.#confirmed = ConfirmedPoints.parse(image.meta.get('confirmed'), false);
    for (const listener of [...this.#reloadListeners]) listener(cause);
    if (this.#isForeign()) this.#renounce();
  }

  /** R9: the id is that of a file of which this one is a copy: no write may ever carry it again. */
  #isForeign(): boolean {
    return this.#opened === this.id && !this.#options.isSameLife;
  }

  /** R9: a seq that the life before may have acknowledged is not given out again. */
  #aboveReserved(head: Head): Head {
    const reserved = head.replica === this.#opened ? (this.#options.reservedSeq ?? 0) : 0;
    return head.seq >= reserved ? head : { ...head, seq: reserved };
  }

  /** R9: the id that this copied file took was lost with its commits: it takes another one before anything is written. */
  #renounce(): void {
    try {
      this.takeNewLife(COPIED, 'plain');
    } catch (error) {
      this.#isReloadDue = true;
      this.#head = { ...this.#head, replica: createReplicaId(this.#options.random) };
      this.#options.logger.error({ err: error }, 'a copied database could not take a new replica id yet');
    }
  }

  /**
   * R9: the id of the draft is another one from here on; nobody has confirmed anything of it yet. Where the store refuses the
   * commit, the old life goes on with all that was known of it.
   */
  #commitLife(draft: Draft): void {
    const [confirmed, formerLives] = [this.#confirmed, this.#formerLives];
    this.#formerLives = endLife(formerLives, this.id, this.pos);
    this.#confirmed = ConfirmedPoints.none();
    this.#resume = ResumePoints.none();
    draft.meta('resume', null);
    draft.meta('lives', formerLivesToText(this.#formerLives));
    draft.meta('confirmed', null);
    try {
      this.#commit(draft, 'own', undefined);
    } catch (error) {
      [this.#confirmed, this.#formerLives] = [confirmed, formerLives];
      throw error;
    }
  }

  /** A sender would not send again what R5 has dropped here; and what is known need not be remembered. */
  #resumeAfter(draft: Draft, claims: readonly RemoteClaim[], reached: Reached | undefined): ResumePoints {
    const isWanted = reached !== undefined && this.collection(reached.collection).state === 'wanted';
    let resume = isWanted ? this.#resume.with(reached) : this.#resume;
    for (const { collection, liveSet } of claims) {
      const hasDropped = liveSet !== undefined && liveSet.missing.length > 0;
      resume = hasDropped
        ? resume.forget(collection)
        : resume.known(collection, draft.collection(collection).knowledge);
    }
    return resume;
  }

  #context(draft: Draft): ApplyContext {
    return {
      draft,
      store: this.store,
      namesakes: this.#namesakes,
      own: this.#head,
      limits: this.#options.limits,
      collection: (name) => this.collection(name),
      setAside: (version, problem) => this.#setAside(draft, version, problem),
    };
  }

  #setAside(draft: Draft, { collection, key, replica, seq, value }: RemoteVersion, problem: string): void {
    const characters = value?.length ?? 0;
    this.#quarantine.append(draft, { collection, key, replica, seq, problem, characters });
    this.#options.logger.warn({ collection, key, replica, seq }, `a document from a peer was set aside: it ${problem}`);
  }

  /** `once`: what a peer changes is not likely to be read here soon. */
  #draft(use?: 'once'): Draft {
    if (this.#values.isRunning) throw new TypeError('a resolver must not change the database; it is a pure function');
    if (this.#isReloadDue) this.reload();
    return new Draft({
      head: this.#head,
      wallMs: this.#options.clock.now(),
      clockDriftMsMax: this.#options.clockDriftMsMax,
      collection: (name) => this.collection(name),
      read: (collection, key) => this.store.get(collection, key, use),
      absent: (collection, keys) => this.store.absent(collection, keys),
      resolve: (collection, document) => this.#values.resolve(collection, document),
      resolver: (collection) => resolverText(this.#options.resolverOf(collection)),
    });
  }

  #commit(draft: Draft, origin: CommitNotice['origin'], source: object | undefined): void {
    if (draft.isEmpty) return;
    const confirmed = this.#confirmed.toText();
    if (confirmed !== null) draft.meta('confirmed', confirmed);
    const now: Moment = { at: this.#options.clock.now(), lived: this.livedMs };
    this.#options.recorder?.record(draft, now);
    this.conflicts.record(draft, now, (name) => resolverText(this.#options.resolverOf(name)));
    const lived = this.#lived.saving();
    if (lived !== undefined) draft.meta(LIVED, lived);
    const committed = draft.finish();
    this.#save(committed);
    this.#durability.committed();
    this.#adopt(committed);
    for (const recount of this.#recounts.values()) recount.committed(draft.changes);
    const notice: CommitNotice = {
      origin,
      source,
      pos: this.#head.pos,
      changed: committed.changed,
      removed: committed.removed,
    };
    for (const listener of [...this.#listeners]) this.#tell(listener, notice);
  }

  /** The commit has happened: a listener that fails must not make it look refused. */
  #tell(listener: CommitListener, notice: CommitNotice): void {
    try {
      listener(notice);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a listener of commits failed');
    }
  }

  #save({ batch }: CommittedDraft): void {
    try {
      this.store.commit(batch);
    } catch (error) {
      this.conflicts.reset();
      this.#options.recorder?.reset();
      this.#lived.unsaved();
      for (const listener of [...this.#failureListeners]) listener(error);
      throw error;
    }
  }

  #adopt(committed: CommittedDraft): void {
    this.#head = committed.head;
    for (const state of committed.collections) this.#collections.set(state.name, state);
  }
}
