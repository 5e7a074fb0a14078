/** What the writers of a node that is killed or stopped were told, and whether what the node holds agrees with that. */
import assert from 'node:assert/strict';
import type { SeededRandom } from '../../src/testing/index.ts';
import type { NodeProcess } from './node-process.ts';

const LEDGER = 'ledger';
const KEYS_PER_WRITER = 40;
const BATCH = 25;
const PAD = 'x'.repeat(300);

/** What a read of a key may find: the number of a write, or null for no document. */
type State = number | null;

/** For each key, the state acknowledged last, and those sent after it without an answer, each of which may have happened. */
export class WriteLedger {
  readonly #possible = new Map<string, State[]>();
  acknowledged = 0;

  /** Call before the write is sent. */
  begin(key: string, state: State): void {
    this.#possible.set(key, [...(this.#possible.get(key) ?? [null]), state]);
  }

  /** Call after the answer: earlier states can no longer be read. */
  confirm(key: string, state: State): void {
    const states = this.#possible.get(key)!;
    this.#possible.set(key, states.slice(states.lastIndexOf(state)));
    this.acknowledged++;
  }

  /** Asserts that what was found is possible. Later reads must find the same. */
  check(found: ReadonlyMap<string, number>, when: string): void {
    for (const key of found.keys()) assert.ok(this.#possible.has(key), `${when}: ${key} was never written`);
    for (const [key, possible] of this.#possible) {
      const state = found.get(key) ?? null;
      assert.ok(possible.includes(state), `${when}: ${key} is ${state}, the ledger allows ${possible.join(' or ')}`);
      this.#possible.set(key, [state]);
    }
  }
}

/** Writes, deletes and imports, one after another, until the node is gone or the signal comes. */
export async function writeUntilGone(
  node: NodeProcess,
  writer: number,
  ledger: WriteLedger,
  counter: { next: number },
  random: SeededRandom,
  signal: AbortSignal,
): Promise<void> {
  const documents = node.collection(LEDGER);
  const keyOf = (i: number): string => `w${writer}-${i}`;
  try {
    while (!signal.aborted) {
      if (random.chance(0.1)) {
        const first = random.integer(0, KEYS_PER_WRITER - BATCH);
        const batch = Array.from({ length: BATCH }, (_, i) => [keyOf(first + i), counter.next++] as const);
        for (const [key, n] of batch) ledger.begin(key, n);
        await documents.putMany(batch.map(([key, n]) => [key, { n, pad: PAD }]));
        for (const [key, n] of batch) ledger.confirm(key, n);
        continue;
      }
      const key = keyOf(random.integer(0, KEYS_PER_WRITER - 1));
      const state = random.chance(0.2) ? null : counter.next++;
      ledger.begin(key, state);
      if (state === null) await documents.delete(key);
      else await documents.put(key, { n: state, pad: PAD });
      ledger.confirm(key, state);
    }
  } catch (error) {
    // The connection broke with the node. Any error that the node itself answered is a failure of the test.
    const { reason } = error as { reason?: string };
    if (reason !== 'NODE_UNREACHABLE' && reason !== 'DATABASE_CLOSED') throw error;
  }
}

/** Reads what every key holds. */
export async function readLedger(node: NodeProcess): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const [key, value] of node.collection(LEDGER).entries()) found.set(key, value.n as number);
  return found;
}
