import { hlcToMs } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import { visibleVersions } from '../../core/document/index.ts';
import { type CollectionName, type DocumentKey, fullKey } from '../../core/ids/index.ts';
import type { Version } from '../../core/version/index.ts';
import { allEntries, type Entry, type Store, type StoredDocument } from '../../store/index.ts';
import type { CommitRecorder, Draft, DraftedChange, Moment } from '../replica/index.ts';
import type { HistorySettings } from './history-options.ts';

/** A replaced value of a document. */
export interface PastValue {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** From when until when readers saw it, by the clock of this node, in ms since 1970. */
  readonly since: number;
  readonly until: number;
  /** `until` in ms of the time that the database was in use; see LivedTime. */
  readonly lived: number;
  /** JSON text; null: there was no document. */
  readonly value: string | null;
  /** The write of this value; null: there was none yet. */
  readonly version: Pick<Version, 'replica' | 'seq' | 'hlc'> | null;
}

interface Kept {
  readonly id: number;
  readonly collection: CollectionName;
  readonly name: string;
  readonly until: number;
  readonly lived: number;
  readonly characters: number;
}

/** Entries forgotten in one commit. */
const FORGET_MAX = 1000;

/**
 * The side table `history`: replaced values of documents, in collections that keep a history. An entry is part of the commit
 * that replaces the value, so neither is durable without the other. It is bounded for each document (`HistoryOptions`) and
 * in total (`historyEntriesMax`, `historyCharactersMax`); the oldest entries are forgotten first.
 */
export class HistoryLog implements CommitRecorder {
  readonly #store: Pick<Store, 'entries'>;
  readonly #limits: Limits;
  readonly #settingsOf: (collection: CollectionName) => HistorySettings | undefined;
  /** By id, oldest first; loaded on first use. */
  #kept: Map<number, Kept> | undefined;
  #idsByName = new Map<string, number[]>();
  #characters = 0;
  #newestId = 0;

  constructor(
    store: Pick<Store, 'entries'>,
    limits: Limits,
    settingsOf: (collection: CollectionName) => HistorySettings | undefined,
  ) {
    this.#store = store;
    this.#limits = limits;
    this.#settingsOf = settingsOf;
  }

  record(draft: Draft, now: Moment): void {
    for (const change of draft.changes) {
      const settings = this.#settingsOf(change.collection);
      if (settings !== undefined && (change.before?.value ?? null) !== change.value)
        this.#append(draft, change, settings, now);
    }
  }

  forgetOld(draft: Draft, livedMs: number): void {
    let forgotten = 0;
    for (const kept of this.#load().values()) {
      const keptMs = this.#settingsOf(kept.collection)?.keptMs;
      // The history of a collection that is not open with `history` is left as it is.
      if (keptMs === undefined || kept.lived >= livedMs - keptMs) continue;
      this.#forget(draft, kept);
      if (++forgotten >= FORGET_MAX) return;
    }
  }

  reset(): void {
    this.#kept = undefined;
  }

  /** The kept values of a document, oldest first. */
  of(collection: CollectionName, key: DocumentKey): PastValue[] {
    this.#load();
    const ids = this.#idsByName.get(fullKey(collection, key)) ?? [];
    return ids.flatMap((id) => this.#store.entries('history', id - 1, 1).filter((entry) => entry.id === id)).map(parse);
  }

  #append(
    draft: Draft,
    { collection, key, before }: DraftedChange,
    settings: HistorySettings,
    { at, lived }: Moment,
  ): void {
    const kept = this.#load();
    const name = fullKey(collection, key);
    const ids = this.#idsByName.get(name) ?? [];
    const last = ids.length === 0 ? undefined : kept.get(ids.at(-1)!);
    const shown = before === undefined ? undefined : shownVersion(before);
    const value = before?.value ?? null;
    const since = last?.until ?? (shown === undefined ? 0 : Math.min(at, hlcToMs(shown.hlc)));
    const version = shown === undefined ? null : { replica: shown.replica, seq: shown.seq, hlc: shown.hlc };
    const past: PastValue = { collection, key, since, until: at, lived, value, version };
    const id = this.#newestId + 1;
    draft.entry({ space: 'history', id, data: JSON.stringify(past) });
    this.#remember(id, past);
    while ((this.#idsByName.get(name)?.length ?? 0) > settings.versions)
      this.#forget(draft, kept.get(this.#idsByName.get(name)![0]!)!);
    const { historyEntriesMax, historyCharactersMax } = this.#limits;
    while (kept.size > 1 && (kept.size > historyEntriesMax || this.#characters > historyCharactersMax))
      this.#forget(draft, kept.values().next().value!);
  }

  #forget(draft: Draft, { id, name, characters }: Kept): void {
    this.#kept!.delete(id);
    this.#characters -= characters;
    const ids = this.#idsByName.get(name)!.filter((other) => other !== id);
    if (ids.length === 0) this.#idsByName.delete(name);
    else this.#idsByName.set(name, ids);
    draft.entry({ space: 'history', id, data: null });
  }

  #load(): Map<number, Kept> {
    if (this.#kept !== undefined) return this.#kept;
    this.#kept = new Map();
    this.#idsByName = new Map();
    this.#characters = 0;
    this.#newestId = 0;
    for (const entry of allEntries(this.#store, 'history')) this.#remember(entry.id, parse(entry));
    return this.#kept;
  }

  #remember(id: number, { collection, key, until, lived, value }: PastValue): void {
    const name = fullKey(collection, key);
    const characters = value?.length ?? 0;
    this.#kept!.set(id, { id, collection, name, until, lived, characters });
    const ids = this.#idsByName.get(name);
    if (ids === undefined) this.#idsByName.set(name, [id]);
    else ids.push(id);
    this.#characters += characters;
    this.#newestId = id;
  }
}

/** The version whose value readers see. If a resolver merged several, the newest of them. */
export function shownVersion(document: StoredDocument): Version | undefined {
  const visible = visibleVersions(document);
  return visible.findLast(({ value }) => value === document.value) ?? visible.at(-1) ?? document.versions.at(-1);
}

function parse({ data }: Entry): PastValue {
  return JSON.parse(data) as PastValue;
}
