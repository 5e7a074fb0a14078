import { type Clock, SliceSize } from '../../core/clock/index.ts';
import { LIMITS, TIMES } from '../../core/config/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import { type CollectionName, type DocumentKey, fullKey } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import type { RemoteOutcome, RemoteVersion } from '../../core/replication/index.ts';
import { knows } from '../../core/version/index.ts';
import type { CommitListener, Replica } from '../../database/replica/index.ts';
import type { IntegrityStatus } from '../../diagnostics/index.ts';
import type { Damage, DocumentName, StoredDocument } from '../../store/index.ts';
import type { EventLog } from '../event-log.ts';
import { type DamagedDocument, DamagedDocuments, type DamageOutcome, lossTexts } from './damaged-documents.ts';
import { DamagedEntries } from './damaged-entries.ts';
import { Incidents } from './incidents.ts';

export interface SelfRepairDeps {
  readonly replica: Replica;
  readonly events: EventLog;
  readonly clock: Clock;
  /** Calls `run` in a later turn of the event loop. */
  readonly soon: (run: () => void) => void;
  /** Commits accepted writes before the replica changes its id. */
  readonly commitPending: () => void;
  /** R11: ends sessions, so that peers discard what they believed about this node. */
  readonly closeSessions: () => void;
  readonly peers: RepairPeers;
  /** Reads these documents from the newest good backup; undefined if there is no backup. */
  readonly readBackup: (names: readonly DocumentName[]) => Promise<readonly StoredDocument[] | undefined>;
  /** Damage came back too often: nothing is written any more. Called once. */
  readonly onReadOnly: (reason: string) => void;
  /** Tells the operator of an entry of a side table that was damaged and removed. */
  readonly onNotice: (text: string) => void;
  /** Default: silent. */
  readonly logger?: Logger;
}

export interface RepairPeers {
  /** Whether a peer is connected. */
  isOnline(): boolean;
  /** Whether there are peers at all, connected or not. */
  isAnyKnown(): boolean;
  /** Wall clock of the last completed round with any peer, ms; null: none yet. */
  lastSyncTime(): number | null;
}

const LOOK_MS = 1000;
/** Fewest and most rows counted in one slice. */
const SLICE_ROWS_MIN = 8;
const SLICE_ROWS_MAX = 512;
/** Most documents read from a backup in one step. */
const BACKUP_STEP_MAX = 100;

/**
 * R11 without an operator. The row of a damaged document is removed, knowledge of its collection is forgotten under a new replica
 * id, and sessions end, so that peers send what they hold. What no peer brings comes from the newest good backup. Its versions are
 * applied as if a peer had sent them, with their own stamps, so that they never win against something newer that a peer may still
 * hold. What the backup lacks too is named in the side table `events`, until somebody brings it after all.
 */
export class SelfRepair {
  readonly #deps: SelfRepairDeps;
  readonly #logger: Logger;
  readonly #documents: DamagedDocuments;
  readonly #entries: DamagedEntries;
  readonly #incidents = new Incidents();
  readonly #unsubscribe: readonly (() => void)[];
  #reported = new Map<CollectionName, Set<DocumentKey>>();
  /** When each collection was last repaired since the start, monotonic ms. */
  readonly #repairedAt = new Map<CollectionName, number>();
  /** Collections whose repair began and was not committed. */
  readonly #failed = new Set<CollectionName>();
  /** Documents found damaged after writing has stopped. */
  readonly #unrepaired = new Set<string>();
  /** Documents that a commit brought back, to handle in the next turn, because a commit listener must not commit. */
  readonly #brought: { readonly document: DamagedDocument; readonly by: DamageOutcome }[] = [];
  #isTurnDue = false;
  #isRestoring = false;
  #isReadOnly = false;
  #isStopped = false;
  #lastRepairAt: number | null = null;
  #fileProblem: string | null = null;
  #cancelTimer: (() => void) | undefined;
  readonly #slice = new SliceSize({ min: SLICE_ROWS_MIN, max: SLICE_ROWS_MAX });

  /** Continues with what an earlier process left unfinished. */
  constructor(deps: SelfRepairDeps) {
    this.#deps = deps;
    this.#logger = deps.logger ?? silentLogger;
    const { events, clock } = deps;
    this.#documents = new DamagedDocuments(events, clock.monotonic());
    this.#entries = new DamagedEntries({ ...deps, keeper: deps.replica, logger: this.#logger });
    for (const { at, kind } of events.all()) {
      if (kind === 'repair-began') this.#incidents.remember(at);
      if (kind === 'repair-began' || kind === 'entry-removed') this.#lastRepairAt = at;
      // If writing stopped under a clock that was ahead, it must not stay stopped until that time comes.
      if (kind === 'writing-stopped' && Math.abs(clock.now() - at) < TIMES.repairDayMs) this.#isReadOnly = true;
    }
    const countAll = (): void => deps.replica.damaged.uncounted().forEach((name) => void this.#countSoon(name));
    this.#unsubscribe = [
      deps.replica.onCommit((notice) => this.#noticed(notice)),
      deps.replica.onReload(() => {
        this.#entries.reloaded();
        // A failed sync may take back the commit that ended a count.
        countAll();
      }),
    ];
    countAll();
    if (this.#documents.count('waiting') > 0) this.#lookSoon();
  }

  get isReadOnly(): boolean {
    return this.#isReadOnly;
  }

  /** For the health check; the scrubber provides `lastScrubAt`. */
  status(): Omit<IntegrityStatus, 'lastScrubAt'> {
    return {
      damaged: this.#documents.count('waiting') + this.#unrepaired.size,
      missing: this.#documents.count('missing'),
      isReadOnly: this.#isReadOnly,
      lastRepairAt: this.#lastRepairAt,
      fileProblem: this.#fileProblem,
    };
  }

  /** Documents whose damaged rows were removed and that nobody has brought back: a check of the file cannot find them. */
  unresolved(): Damage[] {
    return this.#documents.all.map(({ collection, key, state }) => {
      const outlook =
        state === 'missing' ? 'neither a peer nor a backup holds it' : 'a peer or a backup may bring it back';
      return { kind: 'document', collection, key, problem: `it was damaged on disk and is gone; ${outlook}` };
    });
  }

  /** What to tell the user of documents that nothing has brought back yet. */
  losses(): string[] {
    return lossTexts(this.#documents.all);
  }

  /** Throws PERSISTENCE_ERROR / READ_ONLY once writing has stopped. */
  assertWritable(): void {
    if (!this.#isReadOnly) return;
    throw new PersistenceError(
      'READ_ONLY',
      'the database file was damaged again and again, so nothing is written any more; replace the disk and restore a backup',
    );
  }

  /** Reports damage found by a read, the scrub or a check. The repair begins in a later turn. May be called repeatedly. */
  report(damage: Damage): void {
    if (this.#isStopped) return;
    if (damage.kind === 'file') return this.#reportFile(damage.problem);
    // The store rebuilds an index by itself, and answers without it until then.
    if (damage.kind === 'index') return;
    if (damage.kind === 'entry') return this.#entries.add(damage) ? this.#takeTurnSoon() : undefined;
    const keys = this.#reported.get(damage.collection) ?? new Set();
    this.#reported.set(damage.collection, keys);
    if (damage.kind === 'document') keys.add(damage.key);
    this.#takeTurnSoon();
  }

  /** Stops repairing; unfinished repairs continue after the next start. */
  stop(): void {
    this.#isStopped = true;
    for (const end of this.#unsubscribe) end();
    this.#cancelTimer?.();
  }

  #reportFile(problem: string): void {
    if (this.#fileProblem === problem) return;
    this.#fileProblem = problem;
    this.#deps.events.append('file-damaged', { problem });
    this.#logger.fatal({ problem }, 'the database file is damaged; restore a backup');
  }

  #takeTurnSoon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#deps.soon(() => {
      this.#isTurnDue = false;
      if (!this.#isStopped) this.#takeTurn();
    });
  }

  #takeTurn(): void {
    const reported = this.#reported;
    this.#reported = new Map();
    for (const { document, by } of this.#brought.splice(0)) this.#trying(() => this.#settle(document, by));
    for (const [collection, keys] of reported) this.#trying(() => this.#repair(collection, keys));
    if (this.#entries.count > 0 && !this.#isReadOnly) this.#trying(() => this.#removeEntries());
    this.#deps.replica
      .flush()
      .catch((error: unknown) => this.#logger.error({ err: error }, 'a repair was not durable'));
    if (this.#documents.count('waiting') > 0) this.#lookSoon();
  }

  #removeEntries(): void {
    if (this.#entries.remove()) this.#lastRepairAt = this.#deps.clock.now();
  }

  #trying(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#logger.error({ err: error }, 'a repair failed; it is tried again when the damage is met again');
    }
  }

  /**
   * Whether a report is new. Documents whose row was already removed are known. But an earlier process may have noted a document as
   * waiting and died before it removed the row.
   */
  #isNews(collection: CollectionName, keys: ReadonlySet<DocumentKey>): boolean {
    if (this.#failed.has(collection)) return true;
    if (keys.size > 0 && !this.#repairedAt.has(collection)) return true;
    if (keys.size > 0) return [...keys].some((key) => this.#documents.get(collection, key)?.state !== 'waiting');
    if (this.#deps.replica.damaged.isUncounted(collection)) return false;
    const repairedAt = this.#repairedAt.get(collection) ?? Number.NEGATIVE_INFINITY;
    return this.#deps.clock.monotonic() - repairedAt >= TIMES.repairPeerWaitMs;
  }

  #repair(collection: CollectionName, keys: ReadonlySet<DocumentKey>): void {
    if (this.#isNews(collection, keys)) this.#forget(collection, keys);
  }

  #forget(collection: CollectionName, keys: ReadonlySet<DocumentKey>): void {
    const { replica, events, clock, commitPending, closeSessions } = this.#deps;
    const incident = this.#isReadOnly ? 'too-many' : this.#incidents.count(clock.now());
    if (incident === 'too-many') return this.#stopWriting(collection, keys);
    this.#failed.add(collection);
    this.#logger.fatal({ collection, keys: [...keys] }, 'stored documents are damaged; peers or a backup replace them');
    if (incident === 'new') events.append('repair-began', { collection });
    for (const key of keys) this.#documents.add(collection, key, clock.monotonic(), clock.now());
    commitPending();
    closeSessions();
    replica.damaged.forget(collection, [...keys], `documents of ${collection} were damaged on disk`);
    this.#failed.delete(collection);
    this.#lastRepairAt = clock.now();
    this.#repairedAt.set(collection, clock.monotonic());
    this.#countSoon(collection);
  }

  /** Recounts the sums of the collection slice by slice, with other work in between. */
  #countSoon(collection: CollectionName): void {
    this.#deps.soon(() => {
      if (this.#isStopped) return;
      try {
        this.#countOn(collection);
      } catch (error) {
        this.#logger.error({ err: error, collection }, 'a damaged collection could not be counted; it is tried again');
        this.#deps.clock.setTimer(LOOK_MS, () => this.#countSoon(collection));
      }
    });
  }

  #countOn(collection: CollectionName): void {
    const { replica, clock } = this.#deps;
    const damaged = this.#slice.run(
      () => clock.monotonic(),
      (rows) => replica.damaged.count(collection, rows),
    );
    if (damaged === null) this.#countSoon(collection);
    else if (damaged.length > 0) this.#forget(collection, new Set(damaged));
  }

  #stopWriting(collection: CollectionName, keys: ReadonlySet<DocumentKey>): void {
    for (const key of keys)
      if (this.#unrepaired.size < LIMITS.eventsMax) this.#unrepaired.add(fullKey(collection, key));
    if (this.#isReadOnly) return;
    this.#isReadOnly = true;
    const reason = 'stored data was damaged again and again; nothing is written any more. Replace the disk';
    this.#deps.events.append('writing-stopped', { collection, reason });
    this.#deps.closeSessions();
    this.#logger.fatal({ collection }, reason);
    this.#deps.onReadOnly(reason);
  }

  readonly #noticed: CommitListener = ({ origin, changed, removed }) => {
    const { clock } = this.#deps;
    let isTurnNeeded = false;
    for (const { collection, key, why } of removed) {
      if (why !== 'damaged' || this.#documents.get(collection, key) !== undefined) continue;
      // Found during the repair of another document.
      this.#deps.soon(() => this.#documents.add(collection, key, clock.monotonic(), clock.now()));
      isTurnNeeded = true;
    }
    if (this.#documents.size === 0) return isTurnNeeded ? this.#takeTurnSoon() : undefined;
    for (const { collection, key } of changed) {
      const document = this.#documents.get(collection, key);
      if (document === undefined || this.#isRestoring) continue;
      this.#brought.push({ document, by: origin === 'remote' ? 'from-peer' : 'written-again' });
      isTurnNeeded = true;
    }
    if (isTurnNeeded) this.#takeTurnSoon();
  };

  #settle(document: DamagedDocument, state: DamageOutcome): void {
    const { collection, key } = document;
    if (this.#documents.get(collection, key) !== document) return;
    this.#documents.settle(document, state);
    if (state === 'missing')
      this.#logger.error({ collection, key }, 'a damaged document is lost: no peer and no backup has it');
    else this.#logger.warn({ collection, key, state }, 'a damaged document was repaired');
  }

  #lookSoon(): void {
    this.#cancelTimer ??= this.#deps.clock.setTimer(LOOK_MS, () => {
      this.#cancelTimer = undefined;
      this.#look().catch((error: unknown) => {
        this.#logger.error({ err: error }, 'damaged documents could not be taken from a backup; it is tried again');
        if (!this.#isStopped) this.#lookSoon();
      });
    });
  }

  async #look(): Promise<void> {
    const due = this.#documents.waiting.filter((document) => this.#isLeftToBackup(document)).slice(0, BACKUP_STEP_MAX);
    if (due.length > 0) await this.#takeFromBackup(due);
    if (!this.#isStopped && this.#documents.count('waiting') > 0) this.#lookSoon();
  }

  /** Whether to use the backup now. Peers come first, because what they hold is newer than any backup. */
  #isLeftToBackup({ sinceMs, sinceWallMs }: DamagedDocument): boolean {
    const { peers, clock } = this.#deps;
    const waitedMs = clock.monotonic() - sinceMs;
    if (waitedMs >= TIMES.repairPeerWaitMs) return true;
    if (!peers.isOnline()) return !peers.isAnyKnown();
    return waitedMs >= TIMES.repairRoundMs && (peers.lastSyncTime() ?? 0) > sinceWallMs;
  }

  async #takeFromBackup(due: readonly DamagedDocument[]): Promise<void> {
    const { replica, readBackup } = this.#deps;
    const found = await readBackup(due);
    if (this.#isStopped) return;
    const held = due.filter(({ collection, key, state }) => state === 'waiting' && !replica.get(collection, key));
    const versions = (found ?? []).flatMap((document) => (isOneOf(held, document) ? versionsOf(document) : []));
    if (versions.length > 0) this.#apply(versions);
    for (const document of held) this.#judge(document, versions);
    await replica.flush();
  }

  #apply(versions: readonly RemoteVersion[]): RemoteOutcome {
    this.#isRestoring = true;
    try {
      return this.#deps.replica.applyRemote(versions, []);
    } finally {
      this.#isRestoring = false;
    }
  }

  #judge(document: DamagedDocument, versions: readonly RemoteVersion[]): void {
    const { collection, key } = document;
    const { knowledge } = this.#deps.replica.collection(collection);
    const own = versions.filter((version) => version.collection === collection && version.key === key);
    if (this.#deps.replica.get(collection, key) !== undefined) this.#settle(document, 'from-backup');
    else if (own.length > 0 && own.every(({ replica, seq }) => knows(knowledge, replica, seq)))
      this.#settle(document, 'deleted-elsewhere');
    else this.#settle(document, 'missing');
  }
}

function isOneOf(names: readonly DocumentName[], { collection, key }: DocumentName): boolean {
  return names.some((name) => name.collection === collection && name.key === key);
}

function versionsOf({ collection, key, versions }: StoredDocument): RemoteVersion[] {
  return versions.map(({ digest: _digest, ...body }) => ({ collection, key, ...body }));
}
