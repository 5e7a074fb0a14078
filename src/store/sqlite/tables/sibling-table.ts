import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { compareVersions, type Version } from '../../../core/version/index.ts';
import { documentCorruptError } from '../../store-errors.ts';
import { isPassing } from '../sqlite-errors.ts';
import type { ReplicaDictionary } from './dictionary.ts';
import {
  type DocumentColumns,
  encodeContext,
  encodeStamps,
  type KeyedVersionColumns,
  VERSION_COLUMNS,
  versionColumns,
} from './row-codec.ts';

const INSERT = `INSERT INTO sibling(doc, coll, key, replica, seq, span, hlc, ctx, stamps, format, fp, value)
  VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const DELETE = `DELETE FROM sibling
  WHERE doc = (SELECT id FROM doc WHERE coll = ? AND key = ? AND replica IS NULL)`;

/** Table `sibling`: the versions of documents that have several, or one that cannot be stored in its row of `doc`. */
export class SiblingTable {
  readonly #replicas: ReplicaDictionary;
  readonly #any: StatementSync;
  readonly #rowOf: StatementSync;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  /** Whether there are any siblings at all. If not, nobody needs to look for them. */
  #exist: boolean | undefined;

  constructor(db: DatabaseSync, replicas: ReplicaDictionary) {
    this.#replicas = replicas;
    this.#any = db.prepare('SELECT 1 FROM sibling LIMIT 1');
    this.#rowOf = db.prepare('SELECT id FROM doc WHERE coll = ? AND key = ?');
    this.#select = db.prepare(`SELECT ${VERSION_COLUMNS} FROM sibling WHERE doc = ?`);
    this.#select.setReturnArrays(true);
    this.#insert = db.prepare(INSERT);
    this.#delete = db.prepare(DELETE);
  }

  /** After a rollback. */
  reset(): void {
    this.#exist = undefined;
  }

  exist(): boolean {
    this.#exist ??= this.#any.get() !== undefined;
    return this.#exist;
  }

  /** The siblings of a row of `doc`, in the order of versions; none if the row holds its version itself. */
  of(collection: CollectionName, { id, key, replica }: DocumentColumns): KeyedVersionColumns[] {
    if (replica !== null) return [];
    const rows = this.#select.all(id);
    try {
      return rows.map(versionColumns).sort((a, b) => compareVersions(this.#placeOf(a), this.#placeOf(b)));
    } catch (error) {
      throw isPassing(error) ? error : documentCorruptError(collection, key, error);
    }
  }

  delete(coll: number, key: DocumentKey): void {
    this.#delete.run(coll, key);
  }

  /** Inserts the versions of a document whose own row is already written. */
  insert(coll: number, key: DocumentKey, versions: readonly Version[]): void {
    const doc = this.#rowOf.get(coll, key)!.id as number;
    for (const { replica, seq, first, hlc, context, stamps, format, digest, value } of versions) {
      const ctx = encodeContext(context, this.#replicas);
      const by = this.#replicas.idOf(replica);
      const fields = encodeStamps(stamps, this.#replicas);
      this.#insert.run(doc, coll, key, by, seq, seq - first, hlc, ctx, fields, format, digest, value);
    }
    this.#exist = true;
  }

  #placeOf({ replica, seq, hlc }: KeyedVersionColumns): Version {
    return { replica: this.#replicas.nameOf(replica), seq, hlc } as Version;
  }
}
