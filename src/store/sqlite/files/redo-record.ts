import type { Hlc } from '../../../core/clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../../core/ids/index.ts';
import type { Context, FieldStamp, Version } from '../../../core/version/index.ts';
import type { StoreBatch, StoredDocument } from '../../store.ts';

/** Most documents, removals and entries in a batch that becomes a record. SQLite takes larger ones just as fast. */
const ROWS_MAX = 16;

type VersionRow = readonly [
  replica: ReplicaId,
  seq: number,
  first: number,
  hlc: Hlc,
  context: Context,
  stamps: readonly FieldStamp[] | null,
  format: number,
  digest: string,
  value: string | null,
];

/** `value` is 0 if readers see the value of the only version. */
type DocumentRow = readonly [
  collection: CollectionName,
  key: DocumentKey,
  pos: number,
  lineFirst: number,
  lineReplica: ReplicaId | null,
  deadAt: number | null,
  value: string | null | 0,
  versions: readonly VersionRow[],
];

type RecordedBatch = Omit<StoreBatch, 'documents' | 'meta' | 'resetChain'> & {
  readonly rows: readonly DocumentRow[];
  readonly texts: readonly (readonly [string, string | null])[];
};

/** Whether the batch may become a record of the redo log. A new life always goes to SQLite, together with the marker. */
export function isRecordable({ documents = [], removed = [], entries = [], resetChain }: StoreBatch): boolean {
  return !resetChain && documents.length + removed.length + entries.length <= ROWS_MAX;
}

/** A batch as JSON text, which `textToBatch` turns back into the same batch. */
export function batchToText({ documents = [], meta, resetChain: _, ...rest }: StoreBatch): string {
  const record: RecordedBatch = { ...rest, rows: documents.map(documentToRow), texts: meta ? [...meta] : [] };
  return JSON.stringify(record);
}

export function textToBatch(text: string): StoreBatch {
  const { rows, texts, ...rest } = JSON.parse(text) as RecordedBatch;
  return { ...rest, documents: rows.map(rowToDocument), meta: new Map(texts) };
}

function documentToRow(document: StoredDocument): DocumentRow {
  const { collection, key, pos, lineFirst, lineReplica, deadAt, value, versions } = document;
  const isSimple = versions.length === 1 && versions[0]!.value === value;
  return [collection, key, pos, lineFirst, lineReplica, deadAt, isSimple ? 0 : value, versions.map(versionToRow)];
}

function rowToDocument([
  collection,
  key,
  pos,
  lineFirst,
  lineReplica,
  deadAt,
  value,
  rows,
]: DocumentRow): StoredDocument {
  const versions = rows.map(rowToVersion);
  const seen = value === 0 ? versions[0]!.value : value;
  return { collection, key, pos, lineFirst, lineReplica, deadAt, value: seen, versions };
}

function versionToRow({ replica, seq, first, hlc, context, stamps, format, digest, value }: Version): VersionRow {
  return [replica, seq, first, hlc, context, stamps, format, Buffer.from(digest).toString('base64'), value];
}

function rowToVersion([replica, seq, first, hlc, context, stamps, format, digest, value]: VersionRow): Version {
  return { replica, seq, first, hlc, context, stamps, format, digest: Buffer.from(digest, 'base64'), value };
}
