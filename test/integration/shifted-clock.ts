/**
 * Preloaded into a node (`node --import`), for tests. Shifts its wall clock by the milliseconds given in a file, which it
 * reads again on SIGUSR2, as if somebody set the clock. Time passes at its normal rate; the monotonic clock is unaffected.
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
