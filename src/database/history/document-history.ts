import { hlcToMs } from '../../core/clock/index.ts';
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
  /** Default: before the last change. */
  readonly to?: Moment;
}

/** What readers of this node saw of a document for a while. */
export interface HistoryEntry {
  /** Wall clock of this node when they began to see it, ms; 0: always, as far as this node knows. */
  readonly since: number;
  /** When they ceased to; null: they see it now. */
  readonly until: number | null;
  /** As it is stored; null: there was no document. */
  readonly value: Document | null;
  /** The write that said so: its author, by human name where this node met it, its name, and its author's wall clock, ms. */
  readonly node: string | null;
  readonly dot: string | null;
  readonly writtenAt: number | null;
}

export interface HistoryHost {
  readonly history: HistoryLog;
  read(collection: CollectionName, key: DocumentKey): StoredDocument | undefined;
  write(collection: CollectionName, writes: readonly LocalWrite[]): Promise<unknown>;
  nodeOf(replica: ReplicaId): string | null;
}

/** What readers see now and saw before, newest first. */
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

/** The entry of that moment. Throws HISTORY_FORGOTTEN where the history does not reach back so far. */
export function entryAt(
  host: HistoryHost,
  collection: CollectionName,
  key: DocumentKey,
  timeMs: number,
): HistoryEntry | undefined {
  if (!Number.isFinite(timeMs))
    throw new RangeError(`${timeMs} is no time; use milliseconds since 1970, or what has getTime`);
  const entries = historyOf(host, collection, key);
  if (entries.length === 0) return undefined;
  const found = entries.find(({ since }) => since <= timeMs);
  if (found !== undefined) return found;
  throw forgotten(collection, key, `before ${entries.at(-1)!.since} ms`);
}

/** Writes again what readers saw before, or at that moment, as a new write; a delete where there was no document. */
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
