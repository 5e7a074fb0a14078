import { LIMITS } from '../../core/config/index.ts';
import { documentToText } from '../../core/document/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { checkOptions, type OptionNames } from '../../core/options/index.ts';
import type { JsonObject } from '../../core/query/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import { RecentlyUsed } from '../recently-used.ts';

export interface DocumentCacheOptions {
  /** Bound in megabytes (1024 × 1024 bytes), above 0. Default 10. */
  readonly maxSizeMb?: number;
  /** Trace per look that counts: hit or miss. Default: silent. */
  readonly logger?: Logger;
}

export interface CacheStatistics {
  readonly hits: number;
  readonly misses: number;
  /** Entries. */
  readonly size: number;
  /** Never above the bound; texts are counted as they lie in memory, with the overhead of each entry. */
  readonly sizeBytes: number;
  /** Entries that made room for others. */
  readonly evictions: number;
  /** hits / (hits + misses); 0 before the first look. */
  readonly hitRate: number;
}

const NAMES: OptionNames<DocumentCacheOptions> = { maxSizeMb: true, logger: true };

const MB = 1024 * 1024;
const MAX_SIZE_MB_DEFAULT = 10;

/** Bytes of an entry besides its texts: the cache's own lists, key, text headers; measured with --expose-gc. */
const ENTRY_BYTES = 200;
/** Bytes of a row besides its texts: the objects of document, version, digest and context. */
const ROW_BYTES = 600;

/** What is kept of one document. */
interface Entry {
  /** As the database has it. */
  readonly row: StoredDocument | undefined;
  /** As a program has set it. */
  readonly text: string | undefined;
}

/**
 * Documents by collection and key, least recently used first out, bounded in bytes. What comes out is a fresh object each
 * time: whatever a caller does to it, the cache keeps what was put in.
 *
 * Alone it is a plain cache. As the cache of a database, the database keeps its rows in it, by itself: those it drops or
 * replaces at the moment of a local or remote change, so `get` never shows what is no longer there. What a program sets
 * itself is dropped by such a change too, but is never what the database reads.
 */
export class DocumentCache {
  readonly #logger: Logger | undefined;
  readonly #entries: RecentlyUsed<Entry>;
  #hits = 0;
  #misses = 0;

  /** Throws RangeError when the size is not a number above 0. */
  constructor(options: DocumentCacheOptions = {}) {
    checkOptions(options, 'DocumentCache', NAMES);
    this.#logger = options.logger;
    this.#entries = new RecentlyUsed({ weightMax: bytesMax(options.maxSizeMb ?? MAX_SIZE_MB_DEFAULT) });
  }

  /** A fresh copy, or undefined. */
  get<T extends object = JsonObject>(collection: string, key: string): T | undefined {
    const entry = this.#entries.get(collection, key);
    const text = entry?.row === undefined ? entry?.text : (entry.row.value ?? undefined);
    this.#count(text !== undefined, collection, key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Keeps a copy. One that alone is above the bound is not kept. Throws INVALID_DOCUMENT for what is no JSON object. */
  set(collection: string, key: string, document: object): void {
    const text = documentToText(document, { ...LIMITS, documentBytesMax: Number.MAX_SAFE_INTEGER });
    this.#keep(collection, key, { row: this.#entries.get(collection, key)?.row, text });
  }

  /** False when there was none. */
  delete(collection: string, key: string): boolean {
    return this.#entries.delete(collection, key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Changes the bound at once; what no longer fits goes, least recently used first. Throws RangeError as the constructor does. */
  resize(maxSizeMb: number): void {
    this.#entries.resize(bytesMax(maxSizeMb));
  }

  getStatistics(): CacheStatistics {
    const looks = this.#hits + this.#misses;
    return {
      hits: this.#hits,
      misses: this.#misses,
      size: this.#entries.size,
      sizeBytes: this.#entries.weight,
      evictions: this.#entries.evictions,
      hitRate: looks === 0 ? 0 : this.#hits / looks,
    };
  }

  /** @internal For the database: a row that it keeps here. Counts when a program asks for it, not when a write looks for what it replaces. */
  row(collection: string, key: string, isCounted: boolean): StoredDocument | undefined {
    const row = this.#entries.get(collection, key)?.row;
    if (isCounted) this.#count(row !== undefined, collection, key);
    return row;
  }

  /** @internal For the database: the row as it was just read. */
  keepRow(row: StoredDocument): void {
    const { collection, key } = row;
    this.#keep(collection, key, { row, text: this.#entries.get(collection, key)?.text });
  }

  /** @internal For the database: a change was committed; a row that is held is replaced by the new one. */
  changeRow(row: StoredDocument): void {
    if (this.#entries.size === 0) return;
    const { collection, key } = row;
    const held = this.#entries.get(collection, key);
    if (held?.row !== undefined) this.#keep(collection, key, { row, text: undefined });
    else if (held !== undefined) this.#entries.delete(collection, key);
  }

  #keep(collection: string, key: string, entry: Entry): void {
    this.#entries.set(collection, key, entry, bytesOf(key, entry));
  }

  #count(isHit: boolean, collection: string, key: string): void {
    if (isHit) this.#hits++;
    else this.#misses++;
    this.#logger?.trace({ collection, key }, isHit ? 'cache hit' : 'cache miss');
  }
}

/** Throws RangeError. */
function bytesMax(maxSizeMb: number): number {
  if (typeof maxSizeMb === 'number' && maxSizeMb > 0 && maxSizeMb * MB <= Number.MAX_SAFE_INTEGER)
    return Math.max(1, Math.floor(maxSizeMb * MB));
  throw new RangeError(`the size of a cache is a number of megabytes above 0, not ${maxSizeMb}`);
}

function bytesOf(key: string, { row, text }: Entry): number {
  return ENTRY_BYTES + textBytes(key) + (row ? rowBytes(row) : 0) + (text === undefined ? 0 : textBytes(text));
}

function rowBytes(row: StoredDocument): number {
  let bytes = row.value === null ? 0 : textBytes(row.value);
  for (const version of row.versions) {
    bytes += ROW_BYTES + 100 * version.context.length;
    if (version.value !== null && version.value !== row.value) bytes += textBytes(version.value);
    for (const stamp of version.stamps ?? []) bytes += 100 + textBytes(stamp.path);
  }
  return bytes;
}

/** V8 keeps a text of Latin-1 in one byte a character and any other in two; only ASCII is told apart cheaply. */
function textBytes(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}
