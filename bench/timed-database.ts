import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { TIMES } from '../src/core/config/index.ts';
import { silentLogger } from '../src/core/logging/index.ts';
import { type LocalDatabase, openLocalDatabase } from '../src/database/index.ts';
import { systemRandom } from '../src/node/system-random.ts';
import { openSqliteStore } from '../src/store/sqlite/index.ts';
import type { ManualClock } from '../src/testing/index.ts';

const HOUR_MS = 3_600_000;

/** A database of ours on a file, with a clock that this program advances, so that days pass in a moment. */
export class TimedDatabase {
  readonly database: LocalDatabase;
  readonly #clock: ManualClock;

  private constructor(database: LocalDatabase, clock: ManualClock) {
    this.database = database;
    this.#clock = clock;
  }

  static async open(folder: string, clock: ManualClock): Promise<TimedDatabase> {
    const store = await openSqliteStore({
      path: join(folder, 'timed.db'),
      durability: 'normal',
      machineId: 'bench',
      pid: process.pid,
      clock,
      logger: silentLogger,
    });
    const database = openLocalDatabase({
      store,
      identity: store.identity,
      nodeId: 'bench',
      clock,
      random: systemRandom,
      soon: setImmediate,
      times: TIMES,
    });
    return new TimedDatabase(database, clock);
  }

  /** Lets hours pass, one by one, and lets due work run after each. */
  async pass(hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour++) {
      this.#clock.advance(HOUR_MS);
      await turn();
    }
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
