/**
 * Loaded before a node (`node --import`), for tests: its wall clock is off by as many milliseconds as the file says, and on
 * SIGUSR2 by as many as it says by then, as when somebody sets it. Time passes as ever, and the monotonic clock with it.
 */
import { readFileSync } from 'node:fs';

const SystemDate = Date;
const file = process.env.ENTGLDB_TEST_CLOCK_FILE ?? '';
const systemNow = Date.now.bind(Date);
let shiftMs = 0;

class ShiftedDate extends SystemDate {
  constructor(...given: [] | [string | number | Date]) {
    super(given.length === 0 ? ShiftedDate.now() : given[0]);
  }

  static override now(): number {
    return systemNow() + shiftMs;
  }
}

function read(): void {
  shiftMs = Number(readFileSync(file, 'utf8'));
}

read();
process.on('SIGUSR2', read);
globalThis.Date = ShiftedDate as DateConstructor;
