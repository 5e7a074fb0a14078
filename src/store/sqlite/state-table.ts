import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Hlc, isHlc } from '../../core/clock/index.ts';
import { DatabaseCorruptionError } from '../../core/errors/index.ts';
import { type CollectionName, compareBytes, parseReplicaId, type ReplicaId } from '../../core/ids/index.ts';
import {
  bytesToFingerprint,
  type Check,
  fingerprintToBytes,
  type Known,
  parseCheck,
} from '../../core/version/index.ts';
import type { CollectionRow, Head, KnowledgeRow, PurgeRow } from '../store.ts';
import type { CollectionDictionary, ReplicaDictionary } from './dictionary.ts';
import { rowSum } from './row-sum.ts';

interface StateRow {
  readonly coll: number;
  readonly replica: number;
  readonly seq: number | null;
  readonly chk: string | null;
  readonly purged: number | null;
  readonly data: string | null;
  readonly sum: number;
}

export interface StateImage {
  readonly head: Head | undefined;
  readonly collections: CollectionRow[];
  readonly knowledge: Map<CollectionName, Map<ReplicaId, Known>>;
  readonly purgeLines: Map<CollectionName, Map<ReplicaId, number>>;
}

/** Where the own chain is in `state`. */
const CHAIN = -1;
/** Of a full chain, this part more is kept before the oldest checks go, so that not every commit touches both ends. */
const CHAIN_SLACK = 0.01;

/** Table `state`: the head, the own chain, the collections, and what they know. */
export class StateTable {
  readonly #collections: CollectionDictionary;
  readonly #replicas: ReplicaDictionary;
  readonly #all: StatementSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #chainStart: StatementSync;
  readonly #chainLength: StatementSync;
  readonly #trimChain: StatementSync;
  readonly #chainLengthMax: number;
  #length: number | undefined;
  /** The last vector row that was written: with most commits it is the same one. */
  #lastVector: StateRow | undefined;

  constructor(
    db: DatabaseSync,
    collections: CollectionDictionary,
    replicas: ReplicaDictionary,
    chainLengthMax: number,
  ) {
    this.#collections = collections;
    this.#replicas = replicas;
    this.#chainLengthMax = chainLengthMax;
    this.#chainStart = db.prepare(`SELECT min(replica) AS seq FROM state WHERE coll = ${CHAIN}`);
    this.#chainLength = db.prepare(`SELECT count(*) AS n FROM state WHERE coll = ${CHAIN}`);
    this.#trimChain = db.prepare(`DELETE FROM state WHERE coll = ${CHAIN} AND replica IN
      (SELECT replica FROM state WHERE coll = ${CHAIN} ORDER BY replica LIMIT ?)`);
    this.#all = db.prepare('SELECT coll, replica, seq, chk, purged, data, sum FROM state WHERE coll >= 0');
    this.#get = db.prepare(
      'SELECT coll, replica, seq, chk, purged, data, sum FROM state WHERE coll = ? AND replica = ?',
    );
    this.#put = db.prepare(
      'INSERT OR REPLACE INTO state(coll, replica, seq, chk, purged, data, sum) VALUES(?, ?, ?, ?, ?, ?, ?)',
    );
  }

  read(): StateImage {
    const image: StateImage = { head: undefined, collections: [], knowledge: new Map(), purgeLines: new Map() };
    let head: Head | undefined;
    for (const row of this.#all.all() as unknown as StateRow[]) {
      if (row.sum !== sumOf(row)) throw stateCorrupt('a row of the state table does not fit its sum');
      if (row.coll === 0) head = parseHead(row.data);
      else if (row.replica === 0) image.collections.push(this.#parseCollection(row));
      else this.#readVector(image, row);
    }
    image.collections.sort((a, b) => compareBytes(a.name, b.name));
    return { ...image, head };
  }

  head(): Head | undefined {
    const row = this.#get.get(0, 0) as StateRow | undefined;
    if (row === undefined) return undefined;
    if (row.sum !== sumOf(row)) throw stateCorrupt('the head does not fit its sum');
    return parseHead(row.data);
  }

  putHead({ replica, seq, check, hlc, pos }: Head): void {
    this.#write(0, 0, null, null, null, `${replica} ${seq} ${check} ${hlc} ${pos}`);
  }

  putCollection({ name, state, documents, fingerprint, resolver }: CollectionRow): void {
    const sums = Buffer.from(fingerprintToBytes(fingerprint)).toString('hex');
    this.#write(this.#collections.idOf(name), 0, null, null, null, `${state} ${documents} ${sums} ${resolver}`);
  }

  putKnown({ collection, replica, seq, check }: KnowledgeRow): void {
    const before = this.#vector(collection, replica);
    this.#putVector({ ...before, seq, chk: check });
  }

  putPurged({ collection, replica, seq }: PurgeRow): void {
    const before = this.#vector(collection, replica);
    this.#putVector({ ...before, purged: seq });
  }

  addCheck(seq: number, check: Check): void {
    this.#length ??= this.#chainLength.get()!.n as number;
    this.#write(CHAIN, seq, null, check, null, null);
    this.#length++;
    if (this.#length <= this.#chainLengthMax * (1 + CHAIN_SLACK)) return;
    this.#trimChain.run(this.#length - this.#chainLengthMax);
    this.#length = this.#chainLengthMax;
  }

  clearChain(): void {
    this.#trimChain.run(-1);
    this.#length = 0;
  }

  chainCheck(seq: number): Check | undefined {
    const row = this.#get.get(CHAIN, seq) as StateRow | undefined;
    if (row !== undefined && row.sum !== sumOf(row)) throw stateCorrupt(`the own check ${seq} does not fit its sum`);
    return parseCheck(row?.chk);
  }

  chainFrom(): number {
    return (this.#chainStart.get()?.seq ?? 0) as number;
  }

  /** After a rollback. */
  reset(): void {
    this.#length = undefined;
    this.#lastVector = undefined;
  }

  /** R11: knowledge is forgotten, the purge line stays. */
  forget(collection: CollectionName): void {
    const coll = this.#collections.knownId(collection);
    this.#lastVector = undefined;
    for (const row of this.#all.all() as unknown as StateRow[]) {
      if (row.coll !== coll || row.replica === 0) continue;
      this.#write(row.coll, row.replica, null, null, row.purged, null);
    }
  }

  #vector(collection: CollectionName, replica: ReplicaId): StateRow {
    const coll = this.#collections.idOf(collection);
    const id = this.#replicas.idOf(replica);
    const last = this.#lastVector;
    if (last?.coll === coll && last.replica === id) return last;
    const none = { coll, replica: id, seq: null, chk: null, purged: null, data: null, sum: 0 };
    return (this.#get.get(coll, id) as StateRow | undefined) ?? none;
  }

  #putVector(row: StateRow): void {
    this.#write(row.coll, row.replica, row.seq, row.chk, row.purged, null);
    this.#lastVector = row;
  }

  #write(
    coll: number,
    replica: number,
    seq: number | null,
    chk: string | null,
    purged: number | null,
    data: string | null,
  ): void {
    this.#put.run(coll, replica, seq, chk, purged, data, rowSum(coll, replica, seq, chk, purged, data));
  }

  #readVector(image: StateImage, row: StateRow): void {
    const collection = this.#collections.nameOf(row.coll);
    const replica = this.#replicas.nameOf(row.replica);
    if (row.seq !== null) {
      nested(image.knowledge, collection).set(replica, { seq: row.seq, check: row.chk as Check | null });
    }
    if (row.purged !== null) nested(image.purgeLines, collection).set(replica, row.purged);
  }

  #parseCollection(row: StateRow): CollectionRow {
    const [state, documents, sums, ...resolver] = (row.data ?? '').split(' ');
    const fingerprint = bytesToFingerprint(Buffer.from(sums ?? '', 'hex'));
    if ((state !== 'wanted' && state !== 'frozen') || fingerprint === undefined) {
      throw stateCorrupt('the row of a collection cannot be read');
    }
    const name = this.#collections.nameOf(row.coll);
    return { name, state, documents: Number(documents), fingerprint, resolver: resolver.join(' ') };
  }
}

function parseHead(text: string | null): Head {
  const [replicaText, seq, checkText, hlc, pos] = (text ?? '').split(' ');
  const replica = parseReplicaId(replicaText);
  const check = parseCheck(checkText);
  if (replica === undefined || check === undefined || !isHlc(Number(hlc)))
    throw stateCorrupt('the head cannot be read');
  return { replica, seq: Number(seq), check, hlc: Number(hlc) as Hlc, pos: Number(pos) };
}

function sumOf({ coll, replica, seq, chk, purged, data }: StateRow): number {
  return rowSum(coll, replica, seq, chk, purged, data);
}

function stateCorrupt(what: string): DatabaseCorruptionError {
  return new DatabaseCorruptionError(`${what}; restore a backup, or remove the database to fetch all from peers`);
}

function nested<K, L, V>(tables: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let table = tables.get(key);
  if (table === undefined) {
    table = new Map();
    tables.set(key, table);
  }
  return table;
}
