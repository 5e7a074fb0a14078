import { type Clock, HLC_ZERO } from '../../core/clock/index.ts';
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
import { FIRST_CHECK, type ForkEvidence, type Knowledge, type Known } from '../../core/version/index.ts';
import { type Head, META, type Store, type StoredDocument, type StoreImage } from '../../store/index.ts';
import { type CollectionState, emptyCollection, loadCollections } from './collection-state.ts';
import type { CommitRecorder } from './commit-recorder.ts';
import { ConflictLedger, type Moment } from './conflicts/index.ts';
import { type CommittedDraft, Draft } from './draft.ts';
import { Durability } from './durability.ts';
import { LivedTime } from './lived-time.ts';
import { draftNewLife, type FormerLives, OwnLives } from './lives/index.ts';
import type { CommitNotice, NewLife } from './outcomes.ts';
import { ResumePoints } from './resume-points.ts';
import { resolverText, ValueResolver } from './value-resolver.ts';

export interface ReplicaOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** A clock whose timers keep the process alive. Default: `clock`. */
  readonly awaitedClock?: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly clockDriftMsMax: number;
  /** R10: whether other nodes' clocks agree with `clock`. Default: never. */
  readonly isClockConfirmed?: () => boolean;
  /** The resolver of a collection (R3). */
  readonly resolverOf: (collection: CollectionName) => Resolver;
  /** Records something of every commit, in the same transaction. Default: none. */
  readonly recorder?: CommitRecorder;
  /** R9 at open: true if the marker of the file proves that this is the same life as before. */
  readonly isSameLife: boolean;
  /** The highest seq that the life may have acknowledged before it was opened, even if the disk has lost it. Default 0. */
  readonly reservedSeq?: number;
  /** The highest change position that may have been given out before, even if the disk has lost it. Default 0. */
  readonly reservedPos?: number;
}

export type CommitListener = (notice: CommitNotice) => void;

const COPIED = 'this database file was copied or restored, or it lost its newest writes or its marker';

/**
 * What the engine keeps in memory of its store, and the only way to change both: a draft is committed to the store, becomes the
 * state, and is reported to listeners, in this order. `flush` makes commits durable, and `durablePos` tells how far they are;
 * if a flush fails, the state goes back to what is durable. It also knows the lives of this file (R9).
 */
export class ReplicaState {
  readonly store: Store;
  /** Versions that lost to concurrent ones. */
  readonly conflicts: ConflictLedger;
  protected readonly options: ReplicaOptions;
  readonly #values: ValueResolver;
  readonly #lived: LivedTime;
  readonly #durability: Durability;
  readonly #commitListeners = new Set<CommitListener>();
  readonly #failureListeners = new Set<(cause: unknown) => void>();
  readonly #reloadListeners = new Set<(cause: unknown, image: StoreImage) => void>();
  #head: Head;
  #collections: Map<CollectionName, CollectionState>;
  #lives: OwnLives;
  /** R4: the resume points. They end with the life, because a new life may drop rows that no knowledge covers. */
  protected resume: ResumePoints;
  /** Whether memory may differ from the store, because the store could not be read or refused a new id. */
  #isReloadDue = false;

  constructor(options: ReplicaOptions, image: StoreImage) {
    const { store, clock, random, limits, isSameLife, reservedSeq = 0, reservedPos = 0 } = options;
    this.options = options;
    this.store = store;
    this.#values = new ValueResolver({ ...options, monotonic: () => clock.monotonic() });
    this.conflicts = new ConflictLedger(store, {
      conflictsMax: limits.conflictsMax,
      conflictCharactersMax: limits.conflictCharactersMax,
      retentionMs: TIMES.conflictRetentionMs,
      resolverOf: (name) => this.resolverText(name),
    });
    this.#lived = new LivedTime(clock, image.meta.get(META.livedTime));
    this.#collections = loadCollections(image);
    this.#lives = OwnLives.parse({ head: image.head, isSameLife, reservedSeq, reservedPos }, image.meta, true);
    this.#head = this.#lives.aboveReserved(
      image.head ?? { replica: createReplicaId(random), seq: 0, check: FIRST_CHECK, hlc: HLC_ZERO, pos: 0 },
    );
    this.resume = ResumePoints.parse(image.meta.get(META.resumePoints));
    this.#durability = new Durability({ store, pos: () => this.pos, onLost: (cause) => this.reload(cause) });
  }

  /** The clock for timers that a caller waits for. */
  get awaitedClock(): Clock {
    return this.options.awaitedClock ?? this.options.clock;
  }

  get id(): ReplicaId {
    return this.#head.replica;
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

  /** Every change up to this position survives a crash. */
  get durablePos(): number {
    return this.#durability.pos;
  }

  /** Number of commits of this process so far, including those without a change position, which only changed knowledge. */
  get commits(): number {
    return this.#durability.commits;
  }

  /** How many of these commits are durable, or were lost before a reload. */
  get durableCommits(): number {
    return this.#durability.durableCommits;
  }

  /** How long this database has been in use, in ms; see LivedTime. */
  get livedMs(): number {
    return this.#lived.ms;
  }

  /** True while a resolver runs: it is code of the program, and must not change the database. */
  get isResolving(): boolean {
    return this.#values.isRunning;
  }

  get collectionCount(): number {
    return this.#collections.size;
  }

  collections(): IterableIterator<CollectionState> {
    return this.#collections.values();
  }

  /** The state of a collection; an empty one if it does not exist yet. */
  collection(name: CollectionName): CollectionState {
    return this.#collections.get(name) ?? emptyCollection(name, this.resolverText(name));
  }

  get(collection: CollectionName, key: DocumentKey): StoredDocument | undefined {
    return this.store.get(collection, key);
  }

  /** The current resolver of a collection, as `name@revision`. */
  resolverText(collection: CollectionName): string {
    return resolverText(this.options.resolverOf(collection));
  }

  onCommit(listener: CommitListener): () => void {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /** Calls `listener` when the store refused a commit; it must neither throw nor commit. Returns a function that unsubscribes. */
  onCommitFailure(listener: (cause: unknown) => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  /** Calls `listener` whenever `durablePos` has risen. */
  onDurable(listener: () => void): () => void {
    return this.#durability.onDurable(listener);
  }

  /**
   * Calls `listener` when commits were lost, because a flush failed, and the replica went back to what is durable. Everything
   * based on them must be dropped: cached documents, unacknowledged writes, sessions.
   */
  onReload(listener: (cause: unknown, image: StoreImage) => void): () => void {
    this.#reloadListeners.add(listener);
    return () => this.#reloadListeners.delete(listener);
  }

  /**
   * A new draft; it changes nothing until it is committed. `once`: the documents it reads need not be cached, because what a
   * peer changes is not likely to be read here soon.
   */
  draft(use?: 'once'): Draft {
    if (this.#values.isRunning) throw new TypeError('a resolver must not change the database; it is a pure function');
    if (this.#isReloadDue) this.reload();
    return new Draft({
      head: this.#head,
      wallMs: this.options.clock.now(),
      clockDriftMsMax: this.options.clockDriftMsMax,
      isClockConfirmed: this.options.isClockConfirmed ?? (() => false),
      collection: (name) => this.collection(name),
      read: (collection, key) => this.store.get(collection, key, use),
      absent: (collection, keys) => this.store.absent(collection, keys),
      resolve: (collection, document) => this.#values.resolve(collection, document),
      resolver: (collection) => this.resolverText(collection),
    });
  }

  /** Commits a draft. Throws if the store cannot; then nothing has changed. */
  commit(draft: Draft, origin: CommitNotice['origin'], source?: object): void {
    if (draft.isEmpty) return;
    this.#record(draft);
    const committed = draft.finish();
    this.#save(committed);
    this.#durability.committed();
    this.#head = committed.head;
    for (const state of committed.collections) this.#collections.set(state.name, state);
    const { changed, removed } = committed;
    this.#tell({ origin, source, pos: this.pos, changed, removed, drafted: draft.changes });
  }

  /** Commits changes of side tables and metadata, for the services built on the replica. */
  commitEntries(change: (draft: Draft) => void): void {
    const draft = this.draft();
    change(draft);
    this.commit(draft, 'own');
  }

  /**
   * Resolves when every commit so far is durable. If the store fails, the replica goes back to what is durable, calls the
   * `onReload` listeners, and every waiting call rejects.
   */
  flush(): Promise<void> {
    return this.#durability.flush();
  }

  /** Loads the state from the store again, after a failed flush, or a crash in the simulator. */
  reload(cause?: unknown): void {
    this.#isReloadDue = true;
    const image = this.store.load();
    this.#isReloadDue = false;
    this.#collections = loadCollections(image);
    this.#head = this.#lives.aboveReserved(image.head ?? { ...this.#head, seq: 0, check: FIRST_CHECK });
    this.#lives = this.#lives.reloaded(image.meta);
    this.resume = ResumePoints.parse(image.meta.get(META.resumePoints));
    this.#durability.restart();
    this.#unrecord();
    for (const listener of [...this.#reloadListeners]) listener(cause, image);
    if (this.#isForeign()) this.#renounce();
  }

  /** R9 at open: a copied file takes a new id before anything else. */
  protected leaveForeignLife(): void {
    if (this.#isForeign()) this.takeNewLife(COPIED, 'plain');
  }

  /** The id of this life, then those of the former lives of this file. */
  ownIds(): ReplicaId[] {
    return [this.id, ...[...this.#lives.former.keys()].filter((id) => id !== this.id)];
  }

  /** The former ids of this file, each with the change position at which its life ended. */
  get formerLives(): FormerLives {
    return this.#lives.former;
  }

  /** R9: the evidence by which twins of former lives recognise the fork. */
  ownForks(): ForkEvidence[] {
    return this.#lives.forks();
  }

  /** R9: where those former lives of this file ended of which no twin is known. */
  ownEnds(): Knowledge {
    return new Map(this.#lives.ends().map(({ replica, seq, check }) => [replica, { seq, check }]));
  }

  /** Whether a change position of this file, assigned under that id, still means the same; see FormerLives. */
  judgePosition(replica: ReplicaId, pos: number): 'kept' | 'lost' | 'foreign' {
    const end = replica === this.id ? this.pos : this.#lives.endOf(replica);
    if (end === undefined || (replica === this.id && pos > end)) return 'foreign';
    return pos <= end && !this.#lives.isLost(pos) ? 'kept' : 'lost';
  }

  /** R9: notes a point of this replica's history that a peer has confirmed. The next commit saves it. */
  confirm(known: Known | undefined): void {
    this.#lives.confirm(known);
  }

  /**
   * R9: takes a new id before the next write. `forked`: the versions of the old id beyond a point that was confirmed before the
   * fork are written again under the new id, and the knowledge of the old id is lowered to that point. The caller must close
   * all sessions.
   */
  takeNewLife(why: string, kind: 'plain' | 'forked'): NewLife {
    const draft = this.draft();
    const life = this.nextLife(why);
    const confirmed = kind === 'forked' ? this.#lives.beforeFork() : null;
    const { messageVersionsMax: pageSize } = this.options.limits;
    const collections = [...this.#collections.values()];
    const rewritten = draftNewLife({ draft, store: this.store, collections, pageSize }, life, confirmed);
    this.commitLife(draft, kind);
    const taken: NewLife = { ...life, rewritten, confirmedSeq: confirmed?.seq ?? life.confirmedSeq };
    this.options.logger.warn({ ...taken }, 'this node took a new replica id');
    return taken;
  }

  /** R9: a life that may follow this one, for a draft to begin. */
  nextLife(why: string): NewLife {
    const after = createReplicaId(this.options.random);
    return { before: this.id, after, why, rewritten: 0, confirmedSeq: this.seq };
  }

  /** R9: commits a draft that begins a new life. If the store refuses it, the old life continues unchanged. */
  commitLife(draft: Draft, kind: 'plain' | 'forked' = 'plain'): void {
    const lives = this.#lives;
    const { seq, check } = this.#head;
    const isPoint = this.store.chainCheck(seq) === check;
    this.#lives = lives.ended(draft, this.#head, { kind, isPoint, endsMax: this.options.limits.lifeEndsMax });
    this.resume = ResumePoints.none();
    draft.meta(META.resumePoints, null);
    try {
      this.commit(draft, 'own');
    } catch (error) {
      this.#lives = lives;
      throw error;
    }
  }

  #isForeign(): boolean {
    return this.#lives.isForeign(this.id);
  }

  /** R9: a copied file lost the id that it took, with other commits. It takes another one before anything is written. */
  #renounce(): void {
    try {
      this.takeNewLife(COPIED, 'plain');
    } catch (error) {
      this.#isReloadDue = true;
      this.#head = { ...this.#head, replica: createReplicaId(this.options.random) };
      this.options.logger.error({ err: error }, 'a copied database could not take a new replica id yet');
    }
  }

  /** Adds what is recorded with every commit. */
  #record(draft: Draft): void {
    const now: Moment = { at: this.options.clock.now(), lived: this.livedMs };
    this.#lives.record(draft, this.#head);
    this.options.recorder?.record(draft, now);
    this.conflicts.record(draft, now);
    const lived = this.#lived.saving();
    if (lived !== undefined) draft.meta(META.livedTime, lived);
  }

  /** What was recorded may not be in the store, so it must be read or saved again. */
  #unrecord(): void {
    this.options.recorder?.reset();
    this.conflicts.reset();
    this.#lived.unsaved();
  }

  #save({ batch }: CommittedDraft): void {
    try {
      this.store.commit(batch);
    } catch (error) {
      this.#unrecord();
      for (const listener of [...this.#failureListeners]) listener(error);
      throw error;
    }
  }

  /** The commit has happened, so an error of a listener must not make it look refused. */
  #tell(notice: CommitNotice): void {
    for (const listener of [...this.#commitListeners])
      try {
        listener(notice);
      } catch (error) {
        this.options.logger.error({ err: error }, 'a listener of commits failed');
      }
  }
}
