import { dirname, join, resolve } from 'node:path';
import { abortable, type Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { ConfigurationError, isEntglDbError, messageOf, PersistenceError } from '../../core/errors/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import type { BackupFiles } from './backup-files.ts';
import { automaticName, automaticTime, isPartial, LATEST_NAME, manualName, writerOf } from './backup-name.ts';
import { type DatabaseState, isOfOne } from './descent.ts';
import { resolveBackupPath } from './resolve-backup-path.ts';

export interface BackupServiceOptions {
  /** Absolute. Null: no backups, except manual ones with `isAnywhereAllowed`. */
  readonly folder: string | null;
  /** Absolute. Names with a folder part are relative to it. */
  readonly base: string;
  /** Absolute. */
  readonly databasePath: string;
  /** How many automatic backups are kept; older ones are removed. Manual ones always stay. Default 7. */
  readonly retention?: number;
  /**
   * If there are too many automatic backups, those made sooner than this after the previous one, ms, are removed first. So a node
   * that is started and stopped again and again does not displace yesterday's backups. Default 0: the oldest is removed.
   */
  readonly spacingMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

export interface BackupServiceDeps {
  readonly database: BackedUpDatabase;
  readonly files: BackupFiles;
  /** What is damaged in a file that nobody has open; empty if it can be trusted. May throw DATABASE_CORRUPT. */
  readonly verify: (path: string, signal?: AbortSignal) => Promise<readonly unknown[]>;
  /** The state of the database in a file; undefined: the file does not say. */
  readonly stateIn: (path: string) => Promise<DatabaseState | undefined>;
  readonly own: () => OwnState;
  readonly clock: Clock;
}

/** By what this database recognises its own backups in a folder that others use too. */
export interface OwnState extends Omit<DatabaseState, 'pos'> {
  /** If it is not open, only its last replica id is known, at most. */
  readonly isOpen: boolean;
}

/** The database that is backed up. */
export interface BackedUpDatabase {
  /** Resolves when every accepted write is committed. */
  flush(): Promise<void>;
  /** Writes a consistent, verified, sealed copy that appears under its name when it is complete and durable. */
  backup(toPath: string, options: BackupWork): Promise<void>;
}

/** Options of a backup. */
export interface BackupWork {
  /** Aborts the backup; it rejects with the signal's reason and leaves nothing. */
  readonly signal?: AbortSignal;
  /** Whether to replace an existing file. Default false: BACKUP_EXISTS. */
  readonly overwrite?: boolean;
  /** Called from time to time with the finished fraction, from 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
}

export interface ManualBackupWork extends BackupWork {
  /** Without a backup folder, allows any path: for programs, not for requests from outside. Default false. */
  readonly isAnywhereAllowed?: boolean;
}

interface Told {
  readonly info: BackupInfo;
  readonly state: DatabaseState | undefined;
}

/** An existing backup. */
export interface BackupInfo {
  readonly name: string;
  readonly path: string;
  readonly kind: 'automatic' | 'manual' | 'latest';
  readonly bytes: number;
  /** Wall clock when it was made, ms. */
  readonly madeAt: number;
  /** Time since then, ms; negative if a clock was wrong. */
  readonly ageMs: number;
}

const SETTING = 'Persistence.BackupPath';
const RETENTION = 7;
/** How many names are tried for one second. */
const NAMES_MAX = 1000;

/** What an interrupted backup left in a shared folder must be that old to be removed: a running one is written to all the time. */
const PARTIAL_MS_MIN = 3_600_000;

/**
 * Makes backups one at a time, keeps `latest.db` up to date, lists and verifies backups, and removes old automatic ones.
 *
 * Several nodes may use one folder. Each backup says which state of which database it is, and a node counts, restores by itself
 * and removes only its own (`isOfOne`). Only `latest.db` is shared: it is a copy of the newest of all.
 */
export class BackupService {
  readonly #options: BackupServiceOptions;
  readonly #deps: BackupServiceDeps;
  readonly #logger: Logger;
  #working: Promise<unknown> = Promise.resolve();
  #lastBackupAt: number | null = null;
  #lastError: string | null = null;
  #retention: number;
  #spacingMs: number;

  constructor(options: BackupServiceOptions & BackupServiceDeps) {
    this.#options = options;
    this.#deps = options;
    this.#retention = options.retention ?? RETENTION;
    this.#spacingMs = options.spacingMs ?? 0;
    this.#logger = options.logger ?? silentLogger;
  }

  get folder(): string | null {
    return this.#options.folder;
  }

  /** Changes how many automatic backups are kept, and their spacing. Superfluous ones are removed with the next backup. */
  setRetention(retention: number, spacingMs: number): void {
    this.#retention = retention;
    this.#spacingMs = spacingMs;
  }

  /** Wall clock of the newest known backup of this database, ms; null: none. Call `findLast` to learn of those from before the start. */
  get lastBackupAt(): number | null {
    return this.#lastBackupAt;
  }

  /** Why the last backup failed; null if it did not. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /**
   * Makes a manual backup and resolves with its path. `name` lies in the backup folder (see `resolveBackupPath`); null: a name with
   * date and time. The backup holds every write acknowledged before the call; writing goes on meanwhile.
   *
   * Rejects with PERSISTENCE_ERROR: INVALID_NAME, BACKUP_EXISTS (unless `overwrite`), BACKUP_FAILED if the database is damaged,
   * DISK_FULL …; with CONFIG_ERROR / OPTION_INVALID if there is no backup folder; with `signal.reason`, leaving nothing.
   */
  backup(name: string | null, work: ManualBackupWork = {}): Promise<string> {
    return this.#inTurn(work.signal, async () => {
      const path = await this.#manualPath(name, work.isAnywhereAllowed ?? false);
      await this.#write(path, work);
      await this.#replaceLatest(path);
      return path;
    });
  }

  /** Makes an automatic backup, for the schedule or at shutdown, then removes old ones. Resolves with its path. */
  automatic(work: BackupWork = {}): Promise<string> {
    return this.#inTurn(work.signal, async () => {
      const folder = await this.#makeFolder();
      const path = await this.#freePath(folder, automaticName);
      await this.#write(path, work);
      await this.#removeOld(folder, path);
      await this.#replaceLatest(path);
      return path;
    });
  }

  /**
   * The backups, newest first, then `latest.db`, then those from the future: they were named under a wrong clock and may be older than
   * all others. Interrupted ones are not listed.
   */
  async list(): Promise<BackupInfo[]> {
    const { folder } = this.#options;
    if (folder === null) return [];
    const now = this.#deps.clock.now();
    const files = (await this.#deps.files.list(folder)).filter(({ name }) => name.endsWith('.db'));
    const infos = files.map(({ name, bytes, modifiedMs }): BackupInfo => {
      const madeAt = automaticTime(name) ?? modifiedMs;
      const kind = name === LATEST_NAME ? 'latest' : automaticTime(name) === undefined ? 'manual' : 'automatic';
      return { name, path: join(folder, name), kind, bytes, madeAt, ageMs: now - madeAt };
    });
    const group = (info: BackupInfo): number => (isFuture(info) ? 2 : info.kind === 'latest' ? 1 : 0);
    infos.sort((a, b) => group(a) - group(b) || b.madeAt - a.madeAt || (a.name < b.name ? 1 : -1));
    return infos;
  }

  /** Looks for the newest backup of this database from before the start, which `lastBackupAt` then tells. */
  async findLast(): Promise<void> {
    for (const info of await this.list()) {
      if (isFuture(info) || !(await this.#isOwn(info))) continue;
      this.#lastBackupAt = Math.max(info.madeAt, this.#lastBackupAt ?? 0);
      return;
    }
  }

  /**
   * The newest backup of this database that is sound, trying one after another; undefined if there is none. A signal ends the search.
   *
   * A database that cannot be opened may have ended a life since its last backup. If none was written under its last id, all backups
   * count, provided that they can only be of one database.
   */
  async newestGood(signal?: AbortSignal): Promise<BackupInfo | undefined> {
    for (const info of await this.#ownOrOnly()) {
      if (await this.#isGood(info.path, signal)) return info;
      this.#logger.error({ path: info.path }, 'a backup is damaged; an older one is tried');
    }
    return undefined;
  }

  /** Removes what interrupted backups have left, but nothing that is being written, also by another node. Call it once at the start. */
  removePartial(signal?: AbortSignal): Promise<void> {
    return this.#inTurn(signal, async () => {
      const { folder } = this.#options;
      if (folder === null) return;
      const { files, clock, own } = this.#deps;
      const left = (await files.list(folder)).filter(({ name }) => isPartial(name));
      if (left.length === 0) return;
      const { replica = null } = own();
      // Nobody else has a backup here yet, but somebody may be writing a first one.
      const isOthers = (writer: string | undefined): boolean => writer !== undefined && writer !== replica;
      const isShared = left.some(({ name }) => isOthers(writerOf(name))) || (await this.#isShared());
      const newestMs = isShared ? clock.now() - PARTIAL_MS_MIN : Number.POSITIVE_INFINITY;
      for (const { name, modifiedMs } of left)
        if (modifiedMs <= newestMs || writerOf(name) === replica) await files.remove(join(folder, name));
    });
  }

  async #write(path: string, work: BackupWork): Promise<void> {
    const { database, clock } = this.#deps;
    const startedAt = clock.now();
    try {
      await database.flush();
      await database.backup(path, work);
    } catch (error) {
      if (!work.signal?.aborted) this.#lastError = messageOf(error);
      throw error;
    }
    this.#lastError = null;
    this.#lastBackupAt = startedAt;
    this.#logger.info({ path, durationMs: clock.now() - startedAt }, 'backup created');
  }

  /** If that fails, the backup is there nevertheless, which the error says. */
  async #replaceLatest(path: string): Promise<void> {
    const { folder } = this.#options;
    if (folder === null) return;
    try {
      await this.#deps.files.replaceWithCopy(path, join(folder, LATEST_NAME));
    } catch (error) {
      const said = `the backup ${path} was made, but ${LATEST_NAME} is still an older one: ${messageOf(error)}`;
      this.#lastError = said;
      if (!isEntglDbError(error, 'PERSISTENCE_ERROR')) throw error;
      const { reason, details } = error as PersistenceError;
      throw new PersistenceError(reason, said, { details: { ...details, backup: path }, cause: error });
    }
  }

  /** Removes superfluous automatic backups, never the one just made, even if the clock was set and makes it look old. */
  async #removeOld(folder: string, made: string): Promise<void> {
    const all = (await this.list()).filter(({ kind, path }) => kind === 'automatic' && path !== made);
    const others = all.length < this.#retention ? [] : await this.#ownOf(all);
    while (others.length >= this.#retention) {
      const [{ name, path }] = others.splice(this.#leastWanted(others), 1) as [BackupInfo];
      await this.#deps.files.remove(path);
      this.#logger.info({ folder, name }, 'old automatic backup removed');
    }
  }

  /** Index of the backup to remove; `some` is sorted newest first, with those from the future last. */
  #leastWanted(some: readonly BackupInfo[]): number {
    const last = some.length - 1;
    const crowded = some.findIndex(({ madeAt }, i) => i < last && madeAt - some[i + 1]!.madeAt < this.#spacingMs);
    return crowded < 0 || isFuture(some[last]!) ? last : crowded;
  }

  async #ownOf(infos: readonly BackupInfo[]): Promise<BackupInfo[]> {
    const own: BackupInfo[] = [];
    for (const info of infos) if (await this.#isOwn(info)) own.push(info);
    return own;
  }

  /** A file that does not say whose it is belongs to nobody: it is neither counted nor removed. */
  async #isOwn({ path }: BackupInfo): Promise<boolean> {
    const state = await this.#deps.stateIn(path);
    return state !== undefined && isOfOne(this.#deps.own(), state);
  }

  async #isShared(): Promise<boolean> {
    const all = await this.list();
    return (await this.#ownOf(all)).length < all.length;
  }

  /** What `newestGood` tries, newest first. */
  async #ownOrOnly(): Promise<BackupInfo[]> {
    const all: Told[] = [];
    for (const info of await this.list()) all.push({ info, state: await this.#deps.stateIn(info.path) });
    const told = all.flatMap(({ state }) => state ?? []);
    const now = this.#deps.own();
    // A database that is not open does not know its earlier lives. The backups of its last life tell them.
    const known = now.isOpen ? [now] : [now, ...told.filter((state) => isOfOne(now, state))];
    const own = all.filter(({ state }) => state !== undefined && known.some((each) => isOfOne(each, state)));
    const areAll = own.length === 0 && !now.isOpen && areOfOne(told);
    return (areAll ? all : own).map(({ info }) => info);
  }

  async #manualPath(name: string | null, isAnywhereAllowed: boolean): Promise<string> {
    const { folder, base, databasePath } = this.#options;
    if (folder === null && isAnywhereAllowed && name !== null) {
      const path = resolve(base, name);
      await this.#deps.files.makeFolder(dirname(path));
      return path;
    }
    const place = { folder: await this.#makeFolder(), base, databasePath };
    return name === null ? this.#freePath(place.folder, manualName) : resolveBackupPath(this.#deps.files, place, name);
  }

  async #freePath(folder: string, nameOf: (atMs: number, nth: number) => string): Promise<string> {
    for (let nth = 1; nth <= NAMES_MAX; nth++) {
      const path = join(folder, nameOf(this.#deps.clock.now(), nth));
      if ((await this.#deps.files.kindOf(path)) === undefined) return path;
    }
    throw new PersistenceError('BACKUP_EXISTS', `${folder} has ${NAMES_MAX} backups of this second already; wait`);
  }

  async #makeFolder(): Promise<string> {
    const folder = this.#requireFolder();
    try {
      await this.#deps.files.makeFolder(folder);
    } catch (cause) {
      if (!isEntglDbError(cause)) throw cause;
      const { reason, message, details } = cause as PersistenceError;
      throw new PersistenceError(reason, `${SETTING}: ${message}`, { details, cause });
    }
    return folder;
  }

  #requireFolder(): string {
    const { folder } = this.#options;
    if (folder !== null) return folder;
    throw new ConfigurationError(
      'OPTION_INVALID',
      `there is no folder for backups yet; set ${SETTING} in the settings file and start the node again`,
      { details: { key: SETTING } },
    );
  }

  async #isGood(path: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.#deps.verify(path, signal)).length === 0;
    } catch (error) {
      signal?.throwIfAborted();
      // A file that cannot be read as a database is not a good backup. Other errors are not about this file.
      this.#logger.error({ path, err: error }, 'a backup cannot be read');
      return isEntglDbError(error) ? false : Promise.reject(error);
    }
  }

  /** Runs one backup at a time, because two would only slow each other down. A signal also ends the waiting for its turn. */
  #inTurn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const before = this.#working;
    const turn = abortable(before, signal).then(() => {
      signal?.throwIfAborted();
      return work();
    });
    // The caller gets the error; the next backup runs all the same, but not before those that are under way.
    this.#working = Promise.allSettled([before, turn]);
    return turn;
  }
}

/** Whether the backup was named under a wrong clock. */
function isFuture({ ageMs }: BackupInfo): boolean {
  return ageMs < -TIMES.clockDriftMsMax;
}

/** Whether backups of these states can only be of one database: the newest of them then knows the lives of all others. */
function areOfOne(states: readonly DatabaseState[]): boolean {
  return states.some((now) => states.every((before) => isOfOne(now, before)));
}
