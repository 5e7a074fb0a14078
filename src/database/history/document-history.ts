import { type Clock, hlcToMs } from '../../core/clock/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import { dotText } from '../../core/version/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import type { Document, WaitOptions } from '../document-api.ts';
import type { LocalWrite } from '../replica/index.ts';
import { type HistoryLog, type PastValue, shownVersion } from './history-log.ts';

/** Milliseconds since 1970, or a `Date`. */
export type Moment = number | { getTime(): number };

export interface UndoOptions extends WaitOptions {
  /** The moment whose value to restore. Default: the value before the last change. */
  readonly to?: Moment;
}

/** A value of a document that readers on this node saw for some time. Times are in milliseconds since 1970. */
export interface HistoryEntry {
  /** When readers began to see it, by the clock of this node; 0: from the start, as far as this node knows. */
  readonly since: number;
  /** When it was replaced, by the clock of this node; null: it is the current value. */
  readonly until: number | null;
  /** The document as it is stored; null: there was none. */
  readonly value: Document | null;
  /** Node id of the author of the write; null if this node does not know it, or if there was no write. */
  readonly node: string | null;
  /** The name of the write, unique in the cluster; null if there was no write. */
  readonly dot: string | null;
  /** When it was written, by the clock of its author; null if there was no write. */
  readonly writtenAt: number | null;
}

export interface HistoryHost {
  readonly clock: Pick<Clock, 'now'>;
  readonly history: HistoryLog;
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<unknown>;
  nodeOf(replica: ReplicaId): string | null;
}

/** What readers see now and saw before, newest first. Empty for a document that never existed here. */
export function historyOf(host: HistoryHost, collection: CollectionName, key: DocumentKey): HistoryEntry[] {
  const row = host.read(collection, key);
  const past = host.history.of(collection, key).map((value) => pastEntry(host, value));
  const shown = row === undefined ? undefined : shownVersion(row);
  if (shown === undefined && past.length === 0) return [];
  const now: HistoryEntry = {
    since: past.at(-1)?.until ?? (shown === undefined ? 0 : hlcToMs(shown.hlc)),
    until: null,
    value: row === undefined || row.value === null ? null : JSON.parse(row.value),
    node: shown === undefined ? null : host.nodeOf(shown.replica),
    dot: shown === undefined ? null : dotText(shown),
    writtenAt: shown === undefined ? null : hlcToMs(shown.hlc),
  };
  return [now, ...past.reverse()];
}

/**
 * The entry of that moment; undefined if there never was a document. Throws HISTORY_FORGOTTEN if it is not kept any more. A clock that was
 * set back shows moments twice, and entries do not tell when it was set: then it is the newest value that began by that moment.
 */
export function entryAt(
  host: HistoryHost,
  collection: CollectionName,
  key: DocumentKey,
  timeMs: number,
): HistoryEntry | undefined {
  if (!Number.isFinite(timeMs))
    throw new RangeError(`${timeMs} is no time; use milliseconds since 1970, or what has getTime`);
  const entries = historyOf(host, collection, key);
  // After a clock was set back, the current value can seem to begin only later.
  if (entries.length === 0 || timeMs >= host.clock.now()) return entries[0];
  const found = entries.find(({ since }) => since <= timeMs);
  if (found !== undefined) return found;
  throw forgotten(collection, key, `before ${entries.at(-1)!.since} ms`);
}

/** Writes the previous value, or that of a moment, as a new write; if there was no document, deletes it. */
export async function undo(
  host: HistoryHost,
  collection: CollectionName,
  key: DocumentKey,
  timeMs: number | undefined,
): Promise<void> {
  const entry = timeMs === undefined ? historyOf(host, collection, key)[1] : entryAt(host, collection, key, timeMs);
  if (entry === undefined) throw forgotten(collection, key, 'from before its last write');
  const value = entry.value === null ? null : JSON.stringify(entry.value);
  await host.write(collection, [{ collection, key, value, ifVersion: undefined }]);
}

function pastEntry(host: HistoryHost, { since, until, value, version }: PastValue): HistoryEntry {
  return {
    since,
    until,
    value: value === null ? null : JSON.parse(value),
    node: version === null ? null : host.nodeOf(version.replica),
    dot: version === null ? null : dotText(version),
    writtenAt: version === null ? null : hlcToMs(version.hlc),
  };
}

function forgotten(collection: CollectionName, key: DocumentKey, when: string): PersistenceError {
  return new PersistenceError(
    'HISTORY_FORGOTTEN',
    `this node keeps no history of document ${JSON.stringify(key)} in collection ${JSON.stringify(collection)} ${when}; ` +
      'open the collection with `history`, or keep more of it',
    { details: { collection, key } },
  );
}
