import type { Blobs } from '../../database/index.ts';
import type { RunningNode } from '../node-api.ts';
import { withVersions } from '../transfer/index.ts';
import type { BlobAccess, NodeTarget } from './node-target.ts';

const DAY_MS = 24 * 3600 * 1000;

/** A node that the command itself has opened. */
export function localTarget(node: RunningNode): NodeTarget {
  return {
    isRunning: false,
    collection: (name) => node.database.collection(name),
    versionedCollection: (name) => withVersions(node.database.collection(name)),
    blobs: localBlobs(node.database.blobs),
    status: async () => node.status(),
    peers: async () => node.peers(),
    health: () => node.health(),
    unsynced: async (peer) => {
      const { receipts } = node.services;
      return peer === null ? receipts.unsynced() : receipts.pendingFor(peer);
    },
    verify: (peer, signal) => node.services.equality.verify(peer ?? undefined, { signal }),
    backup: (name, signal) => node.maintenance.backup(name, { signal }),
    checkIntegrity: (signal) => node.maintenance.checkIntegrity(signal),
    compact: (signal) => node.maintenance.compact(signal),
    conflicts: (limit) => node.database.conflicts({ limit }),
    restoreConflict: (id) => node.database.restoreConflict(id),
    close: () => node.close(),
  };
}

function localBlobs(blobs: Blobs): BlobAccess {
  return {
    put: (source, type, signal) => blobs.put(source, type === undefined ? { signal } : { type, signal }),
    get: (id, signal) => blobs.get({ $blob: id }, { signal }),
    list: (signal) => blobs.list({ signal }),
    collect: (olderThanDays, signal) => blobs.collect({ olderThanMs: olderThanDays * DAY_MS, signal }),
  };
}
