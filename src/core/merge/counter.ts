import type { ReplicaId } from '../ids/index.ts';
import { isJsonArray, type JsonObject, type JsonValue } from '../query/index.ts';

/** A number that rises with each count of one replica, and what that replica has counted so far. */
type CounterEntry = readonly [seq: number, n: number];

/**
 * The sum of a counter, a field type of collections with resolver `merge`: `{ "$counter": { "<replica>": [seq, n], … } }`.
 * Entries of earlier lives of a database file count too. Returns undefined for a value that is not a counter.
 */
export function counterValue(value: JsonValue | undefined): number | undefined {
  const entries = entriesOf(value);
  return entries === undefined ? undefined : Object.values(entries).reduce((sum, [, n]) => sum + n, 0);
}

/**
 * Returns a counter to which `replica` has added `by` (any finite number). Concurrent increments on several nodes add up,
 * since each node changes only its own entry. A value that is undefined or not a counter is replaced by a new counter.
 * `seq` is the seq of the write, or any other rising number; if it is not above that of the replica's entry, the entry's
 * plus 1 is used. Throws a RangeError if the result is not finite.
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

/** Whether a member of `$counter` is a valid entry. */
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
