import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { StoredVersion } from '../../store/index.ts';
import { createManualClock, openMemoryReplica, type SeededRandom } from '../../testing/index.ts';
import type { LocalDatabase } from '../database.ts';
import type { Replica } from '../replica/index.ts';

/** The engine of another node, which exchanges versions with a database in pieces of any size. For tests. */
export class TestPeer {
  readonly #replica: Replica;
  readonly #db: LocalDatabase;
  readonly #collection: CollectionName;
  #sent = 0;
  #received = 0;

  constructor(db: LocalDatabase, collection: string, random: SeededRandom) {
    const { replica } = openMemoryReplica({ clock: createManualClock(), random });
    this.#replica = replica;
    this.#db = db;
    this.#collection = collection as CollectionName;
  }

  /** Writes one transaction on the other node. */
  write(documents: readonly (readonly [key: string, value: object | null])[]): void {
    const writes = documents.map(([key, value]) => ({
      collection: this.#collection,
      key: key as DocumentKey,
      value: value === null ? null : JSON.stringify(value),
    }));
    this.#replica.write([{ writes }]);
  }

  /** Applies versions of the other node to the database, as one commit. */
  send(versionsMax: number): void {
    const page = this.#replica.store.delta(this.#collection, this.#replica.id, this.#sent, versionsMax);
    this.#sent = page.at(-1)?.version.seq ?? this.#sent;
    if (page.length > 0) this.#db.replica.applyRemote(page.map(toRemote), []);
  }

  /** Applies versions of the database to the other node. */
  receive(versionsMax: number): void {
    const { store, id } = this.#db.replica;
    const page = store.delta(this.#collection, id, this.#received, versionsMax);
    this.#received = page.at(-1)?.version.seq ?? this.#received;
    if (page.length > 0) this.#replica.applyRemote(page.map(toRemote), []);
  }
}

function toRemote({ collection, key, version }: StoredVersion): RemoteVersion {
  return { ...version, collection, key };
}
