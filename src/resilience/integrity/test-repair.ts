import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import { createManualClock, createSeededRandom, openMemoryReplica } from '../../testing/index.ts';
import { EventLog } from '../event-log.ts';
import { SelfRepair, type SelfRepairDeps } from './index.ts';

export const C = parseCollectionName('tills');
export const key = (text: string): DocumentKey => parseDocumentKey(text);

/** A repair on the real engine, on a memory store that can be damaged. By default there are neither peers nor a backup. */
export function setUpRepair(options: Partial<SelfRepairDeps> = {}) {
  const random = createSeededRandom(20260116);
  const clock = createManualClock();
  const { replica, store } = openMemoryReplica({ clock, random });
  const counts = { sessionsClosed: 0, readOnly: 0 };
  const notices: string[] = [];
  const peers = { online: false, known: false, lastSync: null as number | null };
  const backup: { documents: StoredDocument[] | undefined } = { documents: undefined };
  const open = (on: Replica = replica): SelfRepair =>
    new SelfRepair({
      replica: on,
      events: new EventLog({ keeper: on, clock, eventsMax: 1000 }),
      clock,
      soon: queueMicrotask,
      commitPending: () => {},
      closeSessions: () => counts.sessionsClosed++,
      peers: {
        isOnline: () => peers.online,
        isAnyKnown: () => peers.known,
        lastSyncTime: () => peers.lastSync,
      },
      readBackup: async (names) =>
        backup.documents?.filter((held) => names.some((n) => n.collection === held.collection && n.key === held.key)),
      onReadOnly: () => counts.readOnly++,
      onNotice: (text) => notices.push(text),
      logger: silentLogger,
      ...options,
    });
  return { clock, replica, store, random, counts, notices, peers, backup, open, repair: open() };
}

export function put(replica: Replica, name: string, n: number, collection: CollectionName = C): StoredDocument {
  replica.write([{ writes: [{ collection, key: key(name), value: JSON.stringify({ n }) }] }]);
  return replica.get(collection, key(name))!;
}

/** The versions of a document as a peer sends them. */
export function asSent({ collection, key: name, versions }: StoredDocument): RemoteVersion[] {
  return versions.map(({ digest: _digest, ...body }) => ({ collection, key: name, ...body }));
}

/** The events; for each damaged document its key and state. */
export function eventsOf(replica: Replica): string[] {
  return replica.store.entries('events', 0, 1000).map(({ data }) => {
    const { kind, fields } = JSON.parse(data);
    return kind === 'document-damaged' ? `${fields.key} ${fields.state}` : kind;
  });
}
