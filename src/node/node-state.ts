import { type Clock, spanText } from '../core/clock/index.ts';
import { ConfigurationError, PersistenceError } from '../core/errors/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { LocalDatabase } from '../database/index.ts';
import { mismatchTexts, refusalTexts, triedRefusals, troubleTexts } from '../diagnostics/index.ts';
import { addressText } from '../net/peers/index.ts';
import { closedError } from '../store/index.ts';
import type { SqliteStore } from '../store/sqlite/index.ts';
import type { ConfigValues, LoadedConfig } from './config/index.ts';
import { FileWatch } from './file-watch.ts';
import type { NetworkService } from './network/index.ts';
import type { Maintenance, NodeAddress, NodeStatus } from './node-api.ts';
import { packageVersion } from './package-version.ts';
import { type NodeServices, type ServedNetwork, shutdownBackupMsMax } from './services/index.ts';

const OFF_THE_NETWORK =
  'this node was taken off the network: its writes are kept, and sent when it is back; POST {"paused":false} to /api/v1/network, or restart it';

/** How many notices `status` keeps; beyond that the oldest is forgotten, but stays in the log. */
const NOTICES_MAX = 50;

/** The parts of a running node, and its status. */
export class NodeState {
  readonly nodeId: string;
  readonly database: LocalDatabase;
  readonly store: SqliteStore;
  network: NetworkService | undefined;
  /** Set by the composition root before anything can use them. */
  services!: NodeServices;
  #values: ConfigValues;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #notices: string[] = [];
  #closing: Promise<void> | undefined;
  /** Why nothing may be written: the file is no longer in its place. */
  #lost: string | undefined;
  /** The copy that is made then. Closing waits for it, as it reads through the connection. */
  #saving: Promise<void> | undefined;
  readonly #watch: FileWatch;

  constructor(parts: {
    config: LoadedConfig;
    clock: Clock;
    logger: Logger;
    database: LocalDatabase;
    store: SqliteStore;
  }) {
    this.#values = parts.config.values;
    this.#logger = parts.logger;
    this.database = parts.database;
    this.store = parts.store;
    this.nodeId = parts.database.nodeId;
    this.#clock = parts.clock;
    this.#startedAt = parts.clock.now();
    this.#watch = new FileWatch({
      isInPlace: () => parts.store.keepInPlace(),
      clock: parts.clock,
      onLost: () => {
        this.#saving = this.#fileLost();
      },
    });
  }

  /** Tells the user something: in the log now, and in the status until the next start. */
  notice(text: string): void {
    if (this.#notices.includes(text)) return;
    this.#notices.push(text);
    if (this.#notices.length > NOTICES_MAX) this.#notices.shift();
    this.#logger.warn({}, text);
  }

  address(): NodeAddress {
    return { tcp: this.network?.tcpAddress ?? null, udp: this.network?.udpAddress ?? null, http: null };
  }

  status(): NodeStatus {
    return {
      nodeId: this.nodeId,
      replica: this.database.replica.id,
      version: packageVersion(),
      pid: process.pid,
      startedAt: this.#startedAt,
      databasePath: this.#values['Persistence.DatabasePath'],
      address: this.address(),
      isOnline: this.network?.isOnline ?? false,
      connectedPeers: this.network?.progress.connected ?? 0,
      tokenFingerprint: this.network?.tokenFingerprint ?? null,
      isNetworkPaused: this.network?.isPaused ?? false,
      lastSyncTime: this.network?.progress.lastSyncMs ?? null,
      queuedOperations: this.services.offlineQueue.count,
      collections: this.database.collections(),
      refusals: this.network?.refusals() ?? [],
      notices: [
        ...this.#notices,
        ...this.services.repair.losses(),
        ...(this.network?.isPaused === true ? [OFF_THE_NETWORK] : []),
        ...this.#clockNotice(),
        ...mismatchTexts(this.network?.progress.mismatches() ?? []),
        ...this.#refusalNotices(),
        ...troubleTexts(this.network?.troubles() ?? []),
      ],
    };
  }

  /** Takes over what may change while the node runs. */
  reconfigure(values: ConfigValues): void {
    this.#values = values;
    this.services.reconfigure(values);
  }

  maintenance(): Maintenance {
    return {
      backup: async (path, options) => {
        // Where the backup would go is of no interest then.
        if (this.#closing !== undefined) throw closedError();
        return this.services.backup(path, options);
      },
      checkIntegrity: (signal) => this.services.checkIntegrity(signal),
      compact: async (signal) => {
        const before = this.store.statistics().databaseBytes;
        await this.store.compact(signal === undefined ? {} : { signal });
        return before - this.store.statistics().databaseBytes;
      },
    };
  }

  /** Undefined while the node has no network or is paused. */
  servedNetwork(): ServedNetwork | undefined {
    const { network } = this;
    if (network === undefined || network.isPaused) return undefined;
    const { tcpAddress, bytes } = network;
    return {
      isListening: tcpAddress !== null,
      address: tcpAddress === null ? null : addressText(tcpAddress),
      problem: network.listenProblem,
      knownPeers: network.peers().length,
      bytes: bytes.sent + bytes.received,
      mismatches: () => network.progress.mismatches(),
      refusals: () => network.refusals(),
      troubles: () => network.troubles(),
      sessions: () => network.openSessions(),
      endSessions: (reason) => network.endSessions(reason),
    };
  }

  async setNetworkPaused(isPaused: boolean): Promise<void> {
    if (this.network === undefined)
      throw new ConfigurationError('USAGE', 'this node runs without a network; start it with one to pause it');
    if (this.#closing !== undefined) throw closedError();
    // Back on the network, what peers send would be written and confirmed to them.
    if (!isPaused) this.assertWritable();
    await this.network.setPaused(isPaused);
    this.#logger.info({ isPaused }, isPaused ? 'taken off the network' : 'back on the network');
  }

  /** Starts the node's periodic work. */
  start(): void {
    this.services.start();
    this.#watch.start();
  }

  /** Call if damage came back too often (R11) or the file is gone: nothing is written any more, not even what peers send. */
  stopWriting(reason: string): void {
    this.notice(reason);
    this.network?.setPaused(true).catch((error: unknown) => {
      this.#logger.error({ err: error }, 'the node could not be taken off the network');
    });
  }

  /** Whether the file is in its place and always was: a file that was away and came back is not written to before the next start. */
  async isInPlace(): Promise<boolean> {
    return this.#lost === undefined && (await this.store.isInPlace());
  }

  /**
   * The file was removed, replaced or written over, so further writes would be gone at the next start. Saves the whole content to a copy. Of
   * a file that was written over, that works if the logs hold everything that is missing in it.
   */
  async #fileLost(): Promise<void> {
    const path = this.#values['Persistence.DatabasePath'];
    const { isWrittenOver } = this.store;
    const lost = `the database file ${path} was ${isWrittenOver ? 'written over' : 'removed or replaced'} while it is open`;
    this.#lost = lost;
    this.stopWriting(`${lost}; nothing is written any more`);
    const copy = `${path}.saved-${this.#clock.now()}`;
    try {
      await this.store.backup(copy);
      this.notice(`all that was in the database is saved: stop this node, and restore ${copy}`);
    } catch (error) {
      this.#logger.fatal({ err: error, copy }, lost);
      this.notice(
        isWrittenOver
          ? `what was in the database is lost in part and could not be saved; stop this node: the next start goes on with the main file that is there now, without the logs beside it, and peers bring back what they have. To have another state, or a copy with its logs, use \`entgldb restore\` before`
          : `the database could not be saved (${(error as Error).message}): make a backup before this node is stopped`,
      );
    }
  }

  /** Throws PERSISTENCE_ERROR / READ_ONLY once writing has stopped. */
  assertWritable(): void {
    if (this.#lost !== undefined)
      throw new PersistenceError('READ_ONLY', `${this.#lost}, so nothing is written any more; see \`entgldb status\``);
    this.services.repair.assertWritable();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends what a failed start had begun, without a backup. */
  async abandon(): Promise<void> {
    this.services.repair.stop();
    this.services.receipts.close();
    try {
      await this.network?.close();
    } finally {
      await this.database.close();
    }
  }

  /** The backup at shutdown gets most of the time for a stop; one that is not finished by then leaves nothing. */
  async #close(): Promise<void> {
    const backupMsMax = shutdownBackupMsMax(this.#values['Health.ShutdownTimeoutMs']);
    this.#watch.stop();
    try {
      await this.services.stop(AbortSignal.timeout(backupMsMax));
      await this.network?.close();
      this.services.receipts.close();
    } finally {
      await this.#saving;
      await this.database.close();
    }
  }

  /** A node that has found its own cluster does not report another one in the same network. */
  #refusalNotices(): string[] {
    const refusals = this.network?.refusals() ?? [];
    const isOnline = this.network?.isOnline ?? false;
    return refusalTexts(isOnline ? triedRefusals(refusals) : refusals, this.#clock.now());
  }

  #clockNotice(): string[] {
    const clock = this.network?.clock;
    if (clock === undefined) return [];
    if (clock.clocks === 2 && clock.widestMs > this.#values['Sync.MaxClockDriftMs'])
      return [
        `the clocks of this machine and of the other are ${spanText(clock.widestMs)} apart; set the wrong one right`,
      ];
    if (!clock.isOff) return [];
    return [
      `the clock of this machine is ${spanText(clock.offsetMs)} ${clock.offsetMs > 0 ? 'behind' : 'ahead of'} the others; set it right (writes are stamped with the others' time meanwhile)`,
    ];
  }
}
