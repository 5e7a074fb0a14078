/** Goal: backups can be made and listed over HTTP. Method: a real server over a real node with a backup folder, spoken to with fetch. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { loadConfig } from '../config/index.ts';
import { openNode } from '../open-node.ts';
import { systemClock } from '../system-clock.ts';
import { startHttpServer } from './index.ts';

test('a backup is made, listed newest first, and never replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'entgldb-backups-'));
  const options = { persistence: { backupPath: 'backups', enableAutoBackup: false } };
  const config = await loadConfig({ workingDirectory: folder, environment: {}, options });
  const node = await openNode({ config, clusterTokens: [], logger: silentLogger, network: false });
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0, token: null, startSecret: 'of this start', limits: LIMITS },
    { node, clock: systemClock, logger: silentLogger },
  );
  const url = `http://127.0.0.1:${server.address.port}/api/v1/backups`;
  const list = async (): Promise<{ name: string; path: string; kind: string; bytes: number }[]> => {
    const { backups } = (await (await fetch(url)).json()) as { backups: Awaited<ReturnType<typeof list>> };
    return backups;
  };
  try {
    assert.deepEqual(await list(), []);
    const make = (): Promise<Response> =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"name":"before-update.db"}',
      });
    const made = await make();
    assert.equal(made.status, 201);
    const path = join(folder, 'backups', 'before-update.db');
    assert.deepEqual(await made.json(), { path });
    assert.equal((await make()).status, 409);
    assert.equal((await fetch(url, { method: 'POST' })).status, 201);
    const manual = (await list()).find(({ name }) => name === 'before-update.db');
    assert.deepEqual({ path: manual?.path, kind: manual?.kind }, { path, kind: 'manual' });
    assert.equal((await list()).length, 3, 'with latest.db');
  } finally {
    await server.close();
    await node.close();
    await rm(folder, { recursive: true });
  }
});
