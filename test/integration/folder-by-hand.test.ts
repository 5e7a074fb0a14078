/**
 * Goal: a node whose whole folder, marker included, was set back by hand to an earlier copy takes a new replica id at once, and what
 * others have deleted or changed since stays so (N3, N4, R9). Method: real processes. The copy is laid over the files that are there,
 * which keeps their inodes, or takes their place, which may give it the same inodes again.
 */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { areEqual, eventually, HUNG_MS, makeFolder, NodeProcess, runCommand, writeToken } from './node-process.ts';

const SALES = 60;
const DELETED = 10;
const CHANGED = 10;

describe('a folder that was set back by hand', () => {
  for (const way of ['laid over', 'in place of'] as const)
    for (const copied of ['stopped', 'running'] as const)
      test(`to a copy made while the node was ${copied}, ${way} the present one: nothing comes back`, {
        timeout: HUNG_MS,
      }, async (t) => {
        const folder = await makeFolder(t);
        const tokenFile = await writeToken(folder);
        const office = await NodeProcess.start(t, { folder: join(folder, 'office'), name: 'office', tokenFile });
        const options = { folder: join(folder, 'till'), name: 'till', tokenFile, peers: [office.address] };
        const kept = join(folder, 'kept');
        const keep = (): void => cpSync(options.folder, kept, { recursive: true, preserveTimestamps: true });
        let till = await NodeProcess.start(t, options);
        await till.collection('sales').putMany(documents('till', 0, SALES));
        await eventually('the office has all', () => areEqual([till, office]));
        const { replica } = await till.status();
        if (copied === 'running') keep();
        assert.equal(await till.stop(), 0);
        if (copied === 'stopped') {
          keep();
          till = await NodeProcess.start(t, options);
          assert.equal((await till.status()).replica, replica);
          await till.collection('sales').putMany(documents('later', SALES, SALES + CHANGED));
          await eventually('the office has all', () => areEqual([till, office]));
          assert.equal(await till.stop(), 0);
        }
        for (let i = 0; i < DELETED; i++) await office.collection('sales').delete(`k${i}`);
        await office.collection('sales').putMany(documents('office', DELETED, DELETED + CHANGED));

        if (way === 'in place of') rmSync(options.folder, { recursive: true });
        cpSync(kept, options.folder, { recursive: true, preserveTimestamps: true });
        till = await NodeProcess.start(t, { ...options, peers: [] });
        const status = await till.status();
        assert.notEqual(status.replica, replica, 'a new replica id');
        assert.match(status.notices.join('\n'), /is a copy, or was moved or restored by hand/);
        await till.collection('sales').put('new', { by: 'till' });
        assert.equal(await till.stop(), 0);
        till = await NodeProcess.start(t, options);
        await eventually('both are equal', () => areEqual([till, office]));
        for (const node of [till, office]) {
          const sales = node.collection('sales');
          for (let i = 0; i < DELETED; i++) assert.equal(await sales.get(`k${i}`), undefined, `k${i} came back`);
          for (let i = DELETED; i < DELETED + CHANGED; i++)
            assert.deepEqual(await sales.get(`k${i}`), { by: 'office' });
          assert.deepEqual(await sales.get('new'), { by: 'till' });
        }
        const listed = await runCommand(['conflicts', '--data', options.folder, '--json']);
        assert.deepEqual(JSON.parse(listed.out), { conflicts: [] }, listed.err);
      });
});

function documents(by: string, from: number, to: number): [string, { by: string }][] {
  return Array.from({ length: to - from }, (_, i) => [`k${from + i}`, { by }]);
}
