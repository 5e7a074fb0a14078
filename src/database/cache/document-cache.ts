import { LIMITS } from '../../core/config/index.ts';
import { documentToText } from '../../core/document/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { checkOptions, type OptionNames } from '../../core/options/index.ts';
import type { JsonObject } from '../../core/query/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import { RecentlyUsed } from '../recently-used.ts';
import { bytesOfValue, copyOfDocument } from './parsed-document.ts';
import { textBytes } from './text-bytes.ts';

export interface DocumentCacheOptions {
  /** Maximum size in units of 1024 × 1024 bytes, above 0. Default 10. */
  readonly maxSizeMb?: number;
  /** Gets a trace line for each hit and miss. Default: none. */
  readonly logger?: Logger;
}

export interface CacheStatistics {
  /** Reads that found a document. */
  readonly hits: number;
  /** Reads that found none. */
  readonly misses: number;
  /** Number of entries. */
  readonly size: number;
  /** Estimated size in memory, including the overhead of each entry; never above the bound. */
  readonly sizeBytes: number;
  /** Entries dropped to keep the bound. */
  readonly evictions: number;
  /** hits / (hits + misses); 0 before the first read. */
  readonly hitRate: number;
}

const NAMES: OptionNames<DocumentCacheOptions> = { maxSizeMb: true, logger: true };

const MB = 1024 * 1024;
const MAX_SIZE_MB_DEFAULT = 10;

/** Bytes of an entry besides its texts: the lists of the cache, the key, text headers. A test measures it. */
const ENTRY_BYTES = 220;
/** Bytes of a parsed document besides its object: the lists, the key. */
const PARSED_BYTES = 200;
/** Bytes of a version of a row besides its texts: the objects of document, version, digest and context. */
const ROW_BYTES = 600;

/** The part of the size that is for parsed documents. */
const PARSED_PART = 1 / 8;
/** Longer texts are parsed at each read: kept as objects, a few of them would use up the room of many. */
const PARSED_CHARACTERS_MAX = 4096;
/** Not the first time, for most documents are read once, and not each time, if there is no room for all that are read. */
const PARSINGS_BEFORE_KEPT = 2;

/** One cached document. */
interface Entry {
  /** The row of the database. */
  readonly row: StoredDocument | undefined;
  /** What a program passed to `set`. */
  readonly text: string | undefined;
  /** How often its text was parsed. */
  parsings: number;
}

/** A document as the object that its text gives. */
interface Parsed {
  readonly text: string;
  readonly document: JsonObject;
}

/**
 * A cache of documents by collection and key, bounded in bytes; the least recently used document is evicted first. `get`
 * returns a fresh object each time, so a caller may change it without changing the cache. An eighth of the bound is for objects
 * of documents that are read again and again: to copy such an object takes a fraction of the time of parsing a text.
 *
 * It can be used on its own. A database that has it as its cache also keeps its rows in it, and replaces or drops them at the
 * moment of each local or remote change, so `get` never returns an outdated row. Such a change also drops what a program has
 * set under the same key; the database itself never reads that.
 */
export class DocumentCache {
  readonly #logger: Logger | undefined;
  readonly #entries: RecentlyUsed<Entry>;
  /** Documents that are read again and again, copied at each read (ADR 0018). */
  readonly #parsed: RecentlyUsed<Parsed>;
  #hits = 0;
  #misses = 0;

  /** Throws a RangeError if `maxSizeMb` is not a number above 0. */
  constructor(options: DocumentCacheOptions = {}) {
    checkOptions(options, 'DocumentCache', NAMES);
    this.#logger = options.logger;
    const { rows, parsed } = bytesMax(options.maxSizeMb ?? MAX_SIZE_MB_DEFAULT);
    this.#entries = new RecentlyUsed({ weightMax: rows });
    this.#parsed = new RecentlyUsed({ weightMax: parsed });
  }

  /** A fresh copy, or undefined. */
  get<T extends object = JsonObject>(collection: string, key: string): T | undefined {
    const entry = this.#entries.get(collection, key);
    const text = entry?.row === undefined ? entry?.text : (entry.row.value ?? undefined);
    this.#count(text !== undefined, collection, key);
    return text === undefined ? undefined : (this.#documentOf(collection, key, text) as T);
  }

  /**
   * Keeps a copy of the document, unless it is larger than seven eighths of the bound. Throws PERSISTENCE_ERROR / INVALID_DOCUMENT if it is
   * not a JSON object.
   */
  set(collection: string, key: string, document: object): void {
    const text = documentToText(document, { ...LIMITS, documentBytesMax: Number.MAX_SAFE_INTEGER });
    this.#keep(collection, key, { row: this.#entries.get(collection, key)?.row, text, parsings: 0 });
  }

  /** Returns false if there was no such entry. */
  delete(collection: string, key: string): boolean {
    this.#parsed.delete(collection, key);
    return this.#entries.delete(collection, key);
  }

  /** Drops all entries. The counts of hits, misses and evictions stay. */
  clear(): void {
    this.#entries.clear();
    this.#parsed.clear();
  }

  /** Changes the bound and evicts what no longer fits, least recently used first. Throws a RangeError as the constructor does. */
  resize(maxSizeMb: number): void {
    const { rows, parsed } = bytesMax(maxSizeMb);
    this.#entries.resize(rows);
    this.#parsed.resize(parsed);
  }

  /** The statistics since the cache was created. */
  getStatistics(): CacheStatistics {
    const looks = this.#hits + this.#misses;
    return {
      hits: this.#hits,
      misses: this.#misses,
      size: this.#entries.size,
      sizeBytes: this.#entries.weight + this.#parsed.weight,
      evictions: this.#entries.evictions,
      hitRate: looks === 0 ? 0 : this.#hits / looks,
    };
  }

  /** @internal For the database: a row that it keeps here. A program's read counts as a hit or miss, the lookup of a write does not. */
  row(collection: string, key: string, isCounted: boolean): StoredDocument | undefined {
    const row = this.#entries.get(collection, key)?.row;
    if (isCounted) this.#count(row !== undefined, collection, key);
    return row;
  }

  /** @internal For the database: a fresh object of the value of a row, which has one. */
  documentOf(row: StoredDocument): JsonObject {
    const { collection, key, value } = row;
    return this.#documentOf(collection, key, value!);
  }

  /** @internal For the database: keeps a row that it has just read. */
  keepRow(row: StoredDocument): void {
    const { collection, key } = row;
    this.#keep(collection, key, { row, text: this.#entries.get(collection, key)?.text, parsings: 0 });
  }

  /** @internal For the database: replaces a cached row after a commit. */
  changeRow(row: StoredDocument): void {
    if (this.#entries.size === 0) return;
    const { collection, key } = row;
    const held = this.#entries.get(collection, key);
    if (held?.row !== undefined) this.#keep(collection, key, { row, text: undefined, parsings: 0 });
    else if (held !== undefined) this.delete(collection, key);
  }

  #keep(collection: string, key: string, entry: Entry): void {
    this.#parsed.delete(collection, key);
    this.#entries.set(collection, key, entry, bytesOf(key, entry));
  }

  #documentOf(collection: string, key: string, text: string): JsonObject {
    const parsed = this.#parsed.get(collection, key);
    if (parsed?.text === text) return copyOfDocument(parsed.document);
    const document: JsonObject = JSON.parse(text);
    const entry = this.#entries.get(collection, key);
    if (entry !== undefined && text.length <= PARSED_CHARACTERS_MAX && ++entry.parsings % PARSINGS_BEFORE_KEPT === 0)
      this.#parsed.set(collection, key, { text, document: copyOfDocument(document) }, bytesOfParsed(key, document));
    return document;
  }

  #count(isHit: boolean, collection: string, key: string): void {
    if (isHit) this.#hits++;
    else this.#misses++;
    this.#logger?.trace({ collection, key }, isHit ? 'cache hit' : 'cache miss');
  }
}

/** Throws RangeError. */
function bytesMax(maxSizeMb: number): { readonly rows: number; readonly parsed: number } {
  if (typeof maxSizeMb === 'number' && maxSizeMb > 0 && maxSizeMb * MB <= Number.MAX_SAFE_INTEGER) {
    const parsed = Math.floor(maxSizeMb * MB * PARSED_PART);
    return { rows: Math.max(1, Math.floor(maxSizeMb * MB) - parsed), parsed };
  }
  throw new RangeError(`the size of a cache is a number of megabytes above 0, not ${maxSizeMb}`);
}

function bytesOf(key: string, { row, text }: Entry): number {
  return ENTRY_BYTES + textBytes(key) + (row ? rowBytes(row) : 0) + (text === undefined ? 0 : textBytes(text));
}

function bytesOfParsed(key: string, document: JsonObject): number {
  return PARSED_BYTES + textBytes(key) + bytesOfValue(document);
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
