import { join, resolve } from 'node:path';
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { ConfigurationError, isEntglDbError, messageOf, PersistenceError } from '../../core/errors/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import type { BackupFiles } from './backup-files.ts';
import { automaticName, automaticTime, isPartial, LATEST_NAME, manualName } from './backup-name.ts';
import { resolveBackupPath } from './resolve-backup-path.ts';

export interface BackupServiceOptions {
  /** Absolute. Null: no backups, but for those by hand with `isAnywhereAllowed`. */
  readonly folder: string | null;
  /** Absolute; what names with a folder part are relative to. */
  readonly base: string;
  /** Absolute. */
  readonly databasePath: string;
  /** Automatic backups that are kept; older ones are removed. Those made by hand always stay. Default 7. */
  readonly retention?: number;
  /**
   * Of too many automatic backups those go first that were made sooner than this after the one before, ms: a node that is started
   * and stopped again and again shall not cost what was kept of yesterday. Default 0: the oldest goes.
   */
  readonly spacingMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

export interface BackupServiceDeps {
  readonly database: BackedUpDatabase;
  readonly files: BackupFiles;
  /** What is damaged in a file that nobody has open; none: it can be trusted. May throw DATABASE_CORRUPT. */
  readonly verify: (path: string) => Promise<readonly unknown[]>;
  readonly clock: Clock;
}

/** What is backed up. */
export interface BackedUpDatabase {
  /** Every write that was accepted is committed when this resolves. */
  flush(): Promise<void>;
  /** A consistent, verified, sealed copy that appears under its name when it is whole and durable. */
  backup(toPath: string, options: BackupWork): Promise<void>;
}

export interface BackupWork {
  readonly signal?: AbortSignal;
  readonly overwrite?: boolean;
  /** Told now and then; `fraction` from 0 to 1. */
  readonly onProgress?: (fraction: number) => void;
}

export interface ManualBackupWork extends BackupWork {
  /** Where there is no backup folder, the backup may go to any path: for programs, not for requests from outside. Default false. */
  readonly isAnywhereAllowed?: boolean;
}

export interface BackupInfo {
  readonly name: string;
  readonly path: string;
  readonly kind: 'automatic' | 'manual' | 'latest';
  readonly bytes: number;
  /** Wall clock at which it was made, ms. */
  readonly atMs: number;
  readonly ageMs: number;
}

const RETENTION = 7;
/** Names that are tried for one second. */
const NAMES_MAX = 1000;

/** Makes backups, keeps `latest.db` up to date, lists and verifies them, and removes old automatic ones. One at a time. */
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

  /** Another count of automatic backups that are kept, and another spacing; what is too much goes with the next one. */
  setRetention(retention: number, spacingMs: number): void {
    this.#retention = retention;
    this.#spacingMs = spacingMs;
  }

  /** Wall clock of the newest backup known, ms; null: none. Call `list` once to learn of those from before. */
  get lastBackupAt(): number | null {
    return this.#lastBackupAt;
  }

  /** Why the last backup failed; null: it did not. */
  get lastError(): string | null {
    return this.#lastError;
  }

  /**
   * A backup by hand. `name` lies in the backup folder (see `resolveBackupPath`); null: a name with date and time. Resolves with
   * its path. It holds every write acknowledged before the call; writing goes on meanwhile.
   *
   * Rejects with PERSISTENCE_ERROR: INVALID_NAME, BACKUP_EXISTS unless `overwrite`, BACKUP_FAILED when the database is damaged,
   * DISK_FULL …; with CONFIG_ERROR / OPTION_INVALID when there is no backup folder; with `signal.reason`, leaving nothing.
   */
  backup(name: string | null, work: ManualBackupWork = {}): Promise<string> {
    return this.#inTurn(work.signal, async () => {
      const path = await this.#manualPath(name, work.isAnywhereAllowed ?? false);
      await this.#write(path, work);
      return path;
    });
  }

  /** An automatic backup, by the schedule or at shutdown; then old ones are removed. Resolves with its path. */
  automatic(work: BackupWork = {}): Promise<string> {
    return this.#inTurn(work.signal, async () => {
      const folder = this.#requireFolder();
      await this.#deps.files.makeFolder(folder);
      const path = await this.#freePath(folder, automaticName);
      await this.#write(path, work);
      await this.#removeOld(folder, path);
      return path;
    });
  }

  /**
   * Newest first, then `latest.db`, then those from the future: a wrong clock has named them, and they may be older than all others.
   * Those cut off while being written are not listed.
   */
  async list(): Promise<BackupInfo[]> {
    const { folder } = this.#options;
    if (folder === null) return [];
    const now = this.#deps.clock.now();
    const files = (await this.#deps.files.list(folder)).filter(({ name }) => name.endsWith('.db'));
    const infos = files.map(({ name, bytes, modifiedMs }): BackupInfo => {
      const atMs = automaticTime(name) ?? modifiedMs;
      const kind = name === LATEST_NAME ? 'latest' : automaticTime(name) === undefined ? 'manual' : 'automatic';
      return { name, path: join(folder, name), kind, bytes, atMs, ageMs: now - atMs };
    });
    const group = (info: BackupInfo): number => (isFuture(info) ? 2 : info.kind === 'latest' ? 1 : 0);
    infos.sort((a, b) => group(a) - group(b) || b.atMs - a.atMs || (a.name < b.name ? 1 : -1));
    const newest = infos[0] !== undefined && !isFuture(infos[0]) ? infos[0].atMs : null;
    if (newest !== null && newest > (this.#lastBackupAt ?? 0)) this.#lastBackupAt = newest;
    return infos;
  }

  /** The newest backup that reads whole, trying one after the other; undefined: there is none. */
  async newestGood(): Promise<BackupInfo | undefined> {
    for (const info of await this.list()) {
      if (await this.#isGood(info.path)) return info;
      this.#logger.error({ path: info.path }, 'a backup is damaged; an older one is tried');
    }
    return undefined;
  }

  /** Removes what backups that were cut off have left. Call it once at start. */
  async removePartial(): Promise<void> {
    const { folder } = this.#options;
    if (folder === null) return;
    for (const { name } of await this.#deps.files.list(folder))
      if (isPartial(name)) await this.#deps.files.remove(join(folder, name));
  }

  async #write(path: string, work: BackupWork): Promise<void> {
    const { database, files, clock } = this.#deps;
    const startedAt = clock.now();
    try {
      await database.flush();
      await database.backup(path, work);
      const { folder } = this.#options;
      if (folder !== null) await files.replaceWithCopy(path, join(folder, LATEST_NAME));
    } catch (error) {
      if (!work.signal?.aborted) this.#lastError = messageOf(error);
      throw error;
    }
    this.#lastError = null;
    this.#lastBackupAt = startedAt;
    this.#logger.info({ path, durationMs: clock.now() - startedAt }, 'backup created');
  }

  /** The one just made stays, whatever a clock that was set makes of its age. */
  async #removeOld(folder: string, made: string): Promise<void> {
    const others = (await this.list()).filter(({ kind, path }) => kind === 'automatic' && path !== made);
    while (others.length >= this.#retention) {
      const [{ name, path }] = others.splice(this.#leastWanted(others), 1) as [BackupInfo];
      await this.#deps.files.remove(path);
      this.#logger.info({ folder, name }, 'old automatic backup removed');
    }
  }

  /** Index among some, newest first and those from the future last. */
  #leastWanted(some: readonly BackupInfo[]): number {
    const last = some.length - 1;
    const crowded = some.findIndex(({ atMs }, i) => i < last && atMs - some[i + 1]!.atMs < this.#spacingMs);
    return crowded < 0 || isFuture(some[last]!) ? last : crowded;
  }

  async #manualPath(name: string | null, isAnywhereAllowed: boolean): Promise<string> {
    const { folder, base, databasePath } = this.#options;
    if (folder === null && isAnywhereAllowed && name !== null) return resolve(base, name);
    const place = { folder: this.#requireFolder(), base, databasePath };
    if (name !== null) return resolveBackupPath(this.#deps.files, place, name);
    await this.#deps.files.makeFolder(place.folder);
    return this.#freePath(place.folder, manualName);
  }

  async #freePath(folder: string, nameOf: (atMs: number, nth: number) => string): Promise<string> {
    for (let nth = 1; nth <= NAMES_MAX; nth++) {
      const path = join(folder, nameOf(this.#deps.clock.now(), nth));
      if ((await this.#deps.files.kindOf(path)) === undefined) return path;
    }
    throw new PersistenceError('BACKUP_EXISTS', `${folder} has ${NAMES_MAX} backups of this second already; wait`);
  }

  #requireFolder(): string {
    const { folder } = this.#options;
    if (folder !== null) return folder;
    throw new ConfigurationError(
      'OPTION_INVALID',
      'there is no folder for backups yet; set Persistence.BackupPath in the settings file and start the node again',
      {
        details: { key: 'Persistence.BackupPath' },
      },
    );
  }

  async #isGood(path: string): Promise<boolean> {
    try {
      return (await this.#deps.verify(path)).length === 0;
    } catch (error) {
      // A file that cannot be read as a database is no good backup; what else may be wrong concerns this file alone.
      this.#logger.error({ path, err: error }, 'a backup cannot be read');
      return isEntglDbError(error) ? false : Promise.reject(error);
    }
  }

  /** One backup at a time: two would only slow each other down. */
  #inTurn<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const turn = this.#working.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#working = turn.catch(() => {
      // Its caller hears of it; the next one has its own turn.
    });
    return turn;
  }
}

/** A wrong clock has named it. */
function isFuture({ ageMs }: BackupInfo): boolean {
  return ageMs < -TIMES.clockDriftMsMax;
}
