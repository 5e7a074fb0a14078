import { type Hlc, isHlc } from '../../../core/clock/index.ts';
import { type CollectionName, compareBytes, parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';
import {
  bytesToFingerprint,
  type Check,
  fingerprintToBytes,
  type Known,
  parseCheck,
} from '../../../core/version/index.ts';
import { nested } from '../../nested.ts';
import type { CollectionRow, Head, KnowledgeRow, PurgeRow } from '../../store.ts';
import type { CollectionDictionary, ReplicaDictionary } from './dictionary.ts';
import { corruptRow } from './row-sum.ts';
import type { StateRow, StateRows } from './state-rows.ts';

export interface StateImage {
  readonly head: Head | undefined;
  readonly collections: CollectionRow[];
  readonly knowledge: Map<CollectionName, Map<ReplicaId, Known>>;
  readonly purgeLines: Map<CollectionName, Map<ReplicaId, number>>;
}

const NOTHING = { seq: null, chk: null, purged: null, data: null } as const;

/** The head, the collections and their knowledge: all of `state` except the chain. */
export class StateTable {
  readonly #rows: StateRows;
  readonly #collections: CollectionDictionary;
  readonly #replicas: ReplicaDictionary;
  /** The vector row written last. Most commits write the same one again. */
  #lastVector: StateRow | undefined;

  constructor(rows: StateRows, collections: CollectionDictionary, replicas: ReplicaDictionary) {
    this.#rows = rows;
    this.#collections = collections;
    this.#replicas = replicas;
  }

  read(): StateImage {
    const image: StateImage = { head: undefined, collections: [], knowledge: new Map(), purgeLines: new Map() };
    let head: Head | undefined;
    for (const row of this.#rows.all()) {
      if (row.coll === 0) head = parseHead(row.data);
      else if (row.replica === 0) image.collections.push(this.#parseCollection(row));
      else this.#readVector(image, row);
    }
    image.collections.sort((a, b) => compareBytes(a.name, b.name));
    return { ...image, head };
  }

  head(): Head | undefined {
    const row = this.#rows.get(0, 0);
    return row && parseHead(row.data);
  }

  /** Number of versions of a collection, tombstones included, according to its row. */
  versionsOf(collection: CollectionName): number {
    return this.collection(collection)?.fingerprint.count ?? 0;
  }

  collection(name: CollectionName): CollectionRow | undefined {
    const coll = this.#collections.knownId(name);
    const row = coll === undefined ? undefined : this.#rows.get(coll, 0);
    return row && this.#parseCollection(row);
  }

  putHead({ replica, seq, check, hlc, pos }: Head): void {
    this.#rows.put({ ...NOTHING, coll: 0, replica: 0, data: `${replica} ${seq} ${check} ${hlc} ${pos}` });
  }

  putCollection({ name, state, documents, fingerprint, resolver }: CollectionRow): void {
    const sums = Buffer.from(fingerprintToBytes(fingerprint)).toString('hex');
    const data = `${state} ${documents} ${sums} ${resolver}`;
    this.#rows.put({ ...NOTHING, coll: this.#collections.idOf(name), replica: 0, data });
  }

  putKnown({ collection, replica, seq, check }: KnowledgeRow): void {
    const before = this.#vector(collection, replica);
    this.#putVector({ ...before, seq, chk: check });
  }

  putPurged({ collection, replica, seq }: PurgeRow): void {
    const before = this.#vector(collection, replica);
    this.#putVector({ ...before, purged: seq });
  }

  /** After a rollback. */
  reset(): void {
    this.#lastVector = undefined;
  }

  /** R11: forgets the knowledge of a collection; its purge line stays. */
  forget(collection: CollectionName): void {
    const coll = this.#collections.knownId(collection);
    this.#lastVector = undefined;
    for (const row of this.#rows.all()) {
      if (row.coll === coll && row.replica !== 0) this.#rows.put({ ...row, seq: null, chk: null });
    }
  }

  #vector(collection: CollectionName, replica: ReplicaId): StateRow {
    const coll = this.#collections.idOf(collection);
    const id = this.#replicas.idOf(replica);
    const last = this.#lastVector;
    if (last?.coll === coll && last.replica === id) return last;
    return this.#rows.get(coll, id) ?? { ...NOTHING, coll, replica: id };
  }

  #putVector(row: StateRow): void {
    this.#rows.put(row);
    this.#lastVector = row;
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
      throw corruptRow('the row of a collection cannot be read');
    }
    const name = this.#collections.nameOf(row.coll);
    return { name, state, documents: Number(documents), fingerprint, resolver: resolver.join(' ') };
  }
}

function parseHead(text: string | null): Head {
  const [replicaText, seq, checkText, hlc, pos] = (text ?? '').split(' ');
  const replica = parseReplicaId(replicaText);
  const check = parseCheck(checkText);
  if (replica === undefined || check === undefined || !isHlc(Number(hlc))) throw corruptRow('the head cannot be read');
  return { replica, seq: Number(seq), check, hlc: Number(hlc) as Hlc, pos: Number(pos) };
}
