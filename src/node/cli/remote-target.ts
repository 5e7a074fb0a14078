import type { Conflict } from '../../database/index.ts';
import type { HealthReport } from '../../diagnostics/index.ts';
import type { PendingWrites } from '../../resilience/index.ts';
import type { PeerStatus } from '../network/index.ts';
import type { NodeStatus } from '../node-api.ts';
import type { PeerEquality } from '../services/index.ts';
import { type HttpClient, readAll } from './http-client.ts';
import type { NodeTarget } from './node-target.ts';
import { createRemoteBlobs } from './remote-blobs.ts';
import { createRemoteCollection, createRemoteExport } from './remote-collection.ts';

/** A running node, through its HTTP interface. */
export function remoteTarget(client: HttpClient): NodeTarget {
  const longWork = (name: string, body: object, signal: AbortSignal): Promise<unknown> => {
    const request = { method: 'POST', path: `/api/v1/${name}`, answerMsMax: Infinity, signal } as const;
    return client.json({ ...request, body: JSON.stringify(body) });
  };
  return {
    isRunning: true,
    collection: (name) => createRemoteCollection(client, name),
    versionedCollection: (name) => createRemoteExport(client, name, true),
    blobs: createRemoteBlobs(client),
    status: async () => (await client.json({ method: 'GET', path: '/api/v1/status' })) as NodeStatus,
    peers: async () => ((await client.json({ method: 'GET', path: '/api/v1/peers' })) as { peers: PeerStatus[] }).peers,
    health: async () => {
      const response = await client.open({ method: 'GET', path: '/health', answerMsMax: 30_000 }, [503]);
      return JSON.parse(await readAll(response)) as HealthReport;
    },
    unsynced: async (peer) => {
      const query = peer === null ? '' : `?peer=${encodeURIComponent(peer)}`;
      const answer = await client.json({ method: 'GET', path: `/api/v1/unsynced${query}` });
      return (answer as { pending: PendingWrites[] }).pending;
    },
    verify: async (peer, signal) => {
      const answer = await longWork('verification', peer === null ? {} : { peer }, signal);
      return (answer as { peers: PeerEquality[] }).peers;
    },
    backup: async (name, signal) => {
      const answer = await longWork('backups', name === null ? {} : { name }, signal);
      return (answer as { path: string }).path;
    },
    checkIntegrity: async (signal) => {
      await longWork('integrity-check', {}, signal);
    },
    compact: async (signal) => ((await longWork('compaction', {}, signal)) as { bytesFreed: number }).bytesFreed,
    conflicts: async (limit) => {
      const answer = await client.json({ method: 'GET', path: `/api/v1/conflicts?limit=${limit}` });
      return (answer as { conflicts: Conflict[] }).conflicts;
    },
    restoreConflict: async (id) => {
      await client.json({ method: 'POST', path: `/api/v1/conflicts/${id}/restore` });
    },
    close: async () => {},
  };
}
