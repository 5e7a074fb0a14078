import { crc32 } from 'node:zlib';
import type { Hlc } from '../../../core/clock/index.ts';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import {
  type Context,
  EMPTY_CONTEXT,
  type FieldStamp,
  FORMAT_JSON,
  type Line,
  sealVersion,
  type Version,
} from '../../../core/version/index.ts';
import type { StoredDocument } from '../../store.ts';
import { documentCorruptError } from '../../store-errors.ts';
import { isPassing } from '../sqlite-errors.ts';
import type { ReplicaDictionary } from './dictionary.ts';
import { columnsSum } from './row-sum.ts';
import { decodeVarints, encodeVarints } from './varint.ts';

/** Columns of a version, in `doc` and in `sibling`, as SQLite returns them. */
export interface VersionColumns {
  readonly replica: number;
  readonly seq: number;
  readonly span: number;
  readonly hlc: number;
  readonly ctx: Uint8Array | null;
  readonly stamps: string | null;
  /** The digest as upper-case hex: a text is read from SQLite in a third of the time that bytes take. */
  readonly fp: string;
  readonly value: string | null;
}

export interface KeyedVersionColumns extends VersionColumns {
  readonly key: DocumentKey;
  readonly format: number;
}

/** Columns of a row of `doc`. `replica` NULL: the versions are in `sibling`. */
export interface DocumentColumns extends Omit<VersionColumns, 'replica'> {
  readonly id: number;
  readonly coll: number;
  readonly key: DocumentKey;
  readonly pos: number;
  readonly replica: number | null;
  readonly line: number | null;
  readonly line_replica: number | null;
  readonly dead_at: number | null;
  readonly sum: number;
}

/** The columns of `doc`, for statements that return rows as arrays, which takes half the time of objects. */
export const DOCUMENT_COLUMNS: string =
  'id, coll, key, pos, replica, seq, span, hlc, line, line_replica, ctx, stamps, dead_at, hex(fp), sum, value';

type DocumentArray = readonly [
  id: number,
  coll: number,
  key: DocumentKey,
  pos: number,
  replica: number | null,
  seq: number,
  span: number,
  hlc: number,
  line: number | null,
  line_replica: number | null,
  ctx: Uint8Array | null,
  stamps: string | null,
  dead_at: number | null,
  fp: string,
  sum: number,
  value: string | null,
];

export function documentColumns(row: unknown): DocumentColumns {
  const [id, coll, key, pos, replica, seq, span, hlc, line, line_replica, ctx, stamps, dead_at, fp, sum, value] =
    row as DocumentArray;
  return { id, coll, key, pos, replica, seq, span, hlc, line, line_replica, ctx, stamps, dead_at, fp, sum, value };
}

/** The same for versions in `sibling`. */
export const VERSION_COLUMNS: string = 'replica, seq, span, hlc, ctx, stamps, format, hex(fp), value, key';
/** The same for versions in `doc`, which are all JSON. */
export const ROW_VERSION_COLUMNS: string = `replica, seq, span, hlc, ctx, stamps, ${FORMAT_JSON}, hex(fp), value, key`;

type VersionArray = readonly [
  replica: number,
  seq: number,
  span: number,
  hlc: number,
  ctx: Uint8Array | null,
  stamps: string | null,
  format: number,
  fp: string,
  value: string | null,
  key: DocumentKey,
];

export function versionColumns(row: unknown): KeyedVersionColumns {
  const [replica, seq, span, hlc, ctx, stamps, format, fp, value, key] = row as VersionArray;
  return { replica, seq, span, hlc, ctx, stamps, format, fp, value, key };
}

/** The document's only version, if it can be stored in the document's own row. */
export function rowVersion(document: StoredDocument): Version | undefined {
  const [version] = document.versions;
  const isSimple = document.versions.length === 1 && version!.format === FORMAT_JSON;
  return isSimple && version!.value === document.value ? version : undefined;
}

export function encodeContext(context: Context, replicas: ReplicaDictionary): Uint8Array | null {
  if (context.length === 0) return null;
  const numbers: number[] = [];
  for (const { replica, first, last } of context) numbers.push(replicas.idOf(replica), first, last - first);
  return encodeVarints(numbers);
}

export function encodeStamps(stamps: readonly FieldStamp[] | null, replicas: ReplicaDictionary): string | null {
  if (stamps === null) return null;
  return JSON.stringify(stamps.map(({ path, replica, seq, hlc }) => [path, replicas.idOf(replica), seq, hlc]));
}

/** The document's own line as columns: 0 in the common case that it is the line of the row's version. */
export function encodeLine(document: StoredDocument, version: Version | undefined, replicas: ReplicaDictionary) {
  const { lineFirst, lineReplica } = document;
  if (lineReplica === null) return { line: null, lineReplica: null };
  if (lineFirst === version?.first && lineReplica === version.replica) return { line: 0, lineReplica: null };
  return { line: lineFirst, lineReplica: replicas.idOf(lineReplica) };
}

/**
 * The sum over a document's own columns. If the versions are in `sibling`, it also covers the value that readers see and the
 * digests of the versions.
 */
export function documentSum(
  columns: { pos: number; line: number | null; line_replica: number | null; dead_at: number | null },
  elsewhere: { value: string | null; digests: readonly Uint8Array[] } | undefined,
): number {
  const sum = columnsSum(columns.pos, columns.line, columns.line_replica, columns.dead_at);
  if (elsewhere === undefined) return sum;
  let crc = crc32(elsewhere.value ?? '', sum);
  for (const digest of elsewhere.digests) crc = crc32(digest, crc);
  return crc;
}

/** Turns rows into documents and verifies every digest and sum. Throws DOCUMENT_CORRUPT. */
export class RowDecoder {
  readonly #replicas: ReplicaDictionary;

  constructor(replicas: ReplicaDictionary) {
    this.#replicas = replicas;
  }

  /** `siblings`: rows of `sibling` in the order of versions; empty if the version is in the document's own row. */
  document(collection: CollectionName, row: DocumentColumns, siblings: readonly KeyedVersionColumns[]): StoredDocument {
    try {
      return this.#document(collection, row, siblings);
    } catch (error) {
      throw isPassing(error) ? error : documentCorruptError(collection, row.key, error);
    }
  }

  version(collection: CollectionName, row: KeyedVersionColumns): Version {
    try {
      return this.#version(collection, row.key, row, row.format);
    } catch (error) {
      throw isPassing(error) ? error : documentCorruptError(collection, row.key, error);
    }
  }

  #document(
    collection: CollectionName,
    row: DocumentColumns,
    siblings: readonly KeyedVersionColumns[],
  ): StoredDocument {
    const isInRow = row.replica !== null;
    const versions = isInRow
      ? [this.#version(collection, row.key, row as VersionColumns, FORMAT_JSON)]
      : siblings.map((sibling) => this.#version(collection, row.key, sibling, sibling.format));
    if (versions.length === 0) throw new RangeError('the row has no versions');
    const elsewhere = isInRow ? undefined : { value: row.value, digests: versions.map(({ digest }) => digest) };
    if (documentSum(row, elsewhere) !== row.sum) throw new RangeError("the row's sum does not fit");
    const own = row.line === 0 && row.line_replica === null ? versions[0]! : undefined;
    return {
      collection,
      key: row.key,
      pos: row.pos,
      deadAt: row.dead_at,
      value: row.value,
      versions,
      lineFirst: own?.first ?? row.line ?? 0,
      lineReplica: own?.replica ?? (row.line_replica === null ? null : this.#replicas.nameOf(row.line_replica)),
    };
  }

  #version(collection: CollectionName, key: DocumentKey, row: VersionColumns, format: number): Version {
    const version = sealVersion(collection, key, {
      replica: this.#replicas.nameOf(row.replica),
      seq: row.seq,
      first: row.seq - row.span,
      hlc: row.hlc as Hlc,
      context: this.#context(row.ctx),
      value: row.value,
      stamps: this.#stamps(row.stamps),
      format,
    });
    if (!isHexOf(version.digest, row.fp)) throw new RangeError("the version's digest does not fit");
    return version;
  }

  #context(bytes: Uint8Array | null): Context {
    if (bytes === null) return EMPTY_CONTEXT;
    const numbers = decodeVarints(bytes);
    if (numbers.length % 3 !== 0) throw new RangeError('the context is cut off');
    const lines: Line[] = [];
    for (let i = 0; i < numbers.length; i += 3) {
      const first = numbers[i + 1]!;
      lines.push({ replica: this.#replicas.nameOf(numbers[i]!), first, last: first + numbers[i + 2]! });
    }
    return lines;
  }

  #stamps(text: string | null): readonly FieldStamp[] | null {
    if (text === null) return null;
    const rows = JSON.parse(text) as [string, number, number, number][];
    return rows.map(([path, replica, seq, hlc]) => ({
      path,
      replica: this.#replicas.nameOf(replica),
      seq,
      hlc: hlc as Hlc,
    }));
  }
}

const HEX_DIGITS = '0123456789ABCDEF';

function isHexOf(bytes: Uint8Array, hex: string): boolean {
  if (hex.length !== 2 * bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (hex.charCodeAt(2 * i) !== HEX_DIGITS.charCodeAt(byte >>> 4)) return false;
    if (hex.charCodeAt(2 * i + 1) !== HEX_DIGITS.charCodeAt(byte & 15)) return false;
  }
  return true;
}
