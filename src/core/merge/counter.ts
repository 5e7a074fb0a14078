import type { ReplicaId } from '../ids/index.ts';
import { isJsonArray, type JsonObject, type JsonValue } from '../query/index.ts';

/** What one replica has counted so far, and a number that rises whenever it counts. */
type CounterEntry = readonly [seq: number, n: number];

/**
 * The sum of a counter: `{ "$counter": { "<replica>": [seq, n], … } }`, a field type of collections with resolver `merge`.
 * Entries of earlier lives of a file count too. Undefined for a value that is no counter.
 */
export function counterValue(value: JsonValue | undefined): number | undefined {
  const entries = entriesOf(value);
  return entries === undefined ? undefined : Object.values(entries).reduce((sum, [, n]) => sum + n, 0);
}

/**
 * A counter with `by` (any finite number) added by this replica: counting at the same time on several nodes adds up, for
 * each changes its own entry only. A value that is no counter, or none, is replaced by a new counter. `seq` is that of the
 * write, or any number that rises; the entry's own is used when that is not above it. Throws a RangeError when the result
 * is not finite.
 */
export function incrementCounter(
  value: JsonValue | undefined,
  replica: ReplicaId,
  seq: number,
  by: number,
): JsonObject {
  const entries = entriesOf(value) ?? {};
  const [lastSeq, n] = entries[replica] ?? [0, 0];
  if (!Number.isFinite(n + by)) throw new RangeError(`a counter cannot count ${by} further from ${n}`);
  return { $counter: { ...entries, [replica]: [Math.max(seq, lastSeq + 1), n + by] } };
}

/** Whether a value under `$counter` is what a replica counted. */
export function isCounterEntry(value: JsonValue | undefined): value is CounterEntry {
  if (typeof value !== 'object' || value === null || !isJsonArray(value) || value.length !== 2) return false;
  return Number.isSafeInteger(value[0]) && typeof value[1] === 'number';
}

function entriesOf(value: JsonValue | undefined): Readonly<Record<string, CounterEntry>> | undefined {
  if (typeof value !== 'object' || value === null || isJsonArray(value)) return undefined;
  const names = Object.keys(value);
  const entries = value.$counter;
  if (names.length !== 1 || typeof entries !== 'object' || entries === null || isJsonArray(entries)) return undefined;
  return Object.values(entries).every(isCounterEntry) ? (entries as Readonly<Record<string, CounterEntry>>) : undefined;
}
