/**
 * Goal: the offline queue loses nothing over any number of crashes: each acknowledged operation is done at least once, and
 * those on one document in the order in which they were queued. Method: a program that queues and flushes at the same time
 * is killed at random moments, again and again, on one database: about 8,000 operations over 4 crashes, in torture 100,000
 * over 50. The last process ends by itself.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createSeededRandom } from '../../src/testing/index.ts';
import { HUNG_MS, makeFolder, SCALE } from './node-process.ts';

const PROGRAM = fileURLToPath(new URL('queue-user.ts', import.meta.url));
const RESTARTS = 4 * SCALE;
const OPERATIONS_PER_LIFE = 4000;
/** Each operation prints a line when it is queued and one when it is done. */
const LINES_PER_LIFE = 2 * OPERATIONS_PER_LIFE;
const KEYS = 50;
const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? Date.now() % 1_000_000);

/** What the program printed, over all its processes. */
class Said {
  readonly queued = new Set<number>();
  readonly done = new Set<number>();
  readonly #newestByKey = new Map<number, number>();
  again = 0;
  outOfOrder: string[] = [];

  hear(line: string): void {
    const [what, text] = line.split(' ');
    const n = Number(text);
    if (what === 'q') this.queued.add(n);
    if (what !== 'd') return;
    if (this.done.has(n)) {
      this.again++;
      return;
    }
    const newest = this.#newestByKey.get(n % KEYS) ?? -1;
    if (n < newest) this.outOfOrder.push(`${n} after ${newest}`);
    this.#newestByKey.set(n % KEYS, n);
    this.done.add(n);
  }
}

test(`over ${RESTARTS} crashes, an offline queue loses no operation, and keeps those of each document in order`, {
  timeout: HUNG_MS,
}, async (t) => {
  t.diagnostic(`seed ${SEED} (ENTGLDB_TEST_SEED)`);
  const random = createSeededRandom(SEED);
  const folder = await makeFolder(t);
  const said = new Said();
  for (let life = 0; life <= RESTARTS; life++) {
    const isLast = life === RESTARTS;
    const count = isLast ? 0 : OPERATIONS_PER_LIFE;
    const args = [PROGRAM, folder, String(life * OPERATIONS_PER_LIFE), String(count)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout);
    let left = isLast ? Number.POSITIVE_INFINITY : random.integer(1, LINES_PER_LIFE);
    lines.on('line', (line) => {
      said.hear(line);
      if (--left === 0) child.kill('SIGKILL');
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (isLast) assert.equal(code, 0);
  }
  const lost = [...said.queued].filter((n) => !said.done.has(n));
  assert.deepEqual(lost.slice(0, 10), [], `${lost.length} operations are lost`);
  assert.deepEqual(said.outOfOrder.slice(0, 10), []);
  assert.ok(said.queued.size > 0);
  t.diagnostic(`${said.queued.size} acknowledged, ${said.done.size} done, ${said.again} done again after a crash`);
});
