/**
 * Goal: a seed is a whole world, the same every time, and what a seed once found stays found and mended. Method: seeds are run
 * twice and compared by the hash of their end; every seed in seeds.json is replayed; 1,500 new ones a day are the suite
 * `sim` of scripts/test.mjs. The bounds on messages and memory are held by the world itself (healing.ts, load.ts).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Campaign } from './faults.ts';
import { hashOfAll, runPool } from './pool.ts';
import { mixedCampaign, replayCommand, runSeed, type SeedJob } from './run-seed.ts';
import type { WorldResult } from './world.ts';

interface FoundSeed {
  readonly seed: number;
  readonly campaign: Campaign;
  readonly events: number;
  readonly nodes: number;
  /** What was wrong. */
  readonly found: string;
}

const FOUND: readonly FoundSeed[] = JSON.parse(readFileSync(join(import.meta.dirname, 'seeds.json'), 'utf8'));
const CAMPAIGNS: readonly Campaign[] = ['chaos', 'twins', 'wear', 'calm'];

function assertSound(job: SeedJob, { problems }: WorldResult): void {
  assert.deepEqual(problems, [], `replay: ${replayCommand(job)}`);
}

for (const campaign of CAMPAIGNS)
  test(`the same seed of ${campaign} ends in the same state, and another one in another`, async () => {
    const job = { seed: 1, events: 400, nodesMax: 5, campaign };
    const [once, again, other] = [await runSeed(job), await runSeed(job), await runSeed({ ...job, seed: 2 })];
    assertSound(job, once);
    assert.ok(once.writes > 50, `only ${once.writes} writes`);
    assert.deepEqual(again, once);
    assert.notEqual(other.hash, once.hash);
  });

test('many nodes agree over few links, and come to rest', async () => {
  const nodes = 50;
  const job = { seed: 5, events: 60, nodesMax: nodes, campaign: 'chaos' } as const;
  const result = await runSeed(job);
  assertSound(job, result);
  assert.ok(result.writes > 20, `only ${result.writes} writes`);
  assert.ok(result.links >= nodes - 1 && result.links < 6 * nodes, `${result.links} links between ${nodes} nodes`);
});

test('looking at a seed does not change it', async () => {
  const job = { seed: 3, events: 200, nodesMax: 5, campaign: 'chaos' } as const;
  const lines: string[] = [];
  const watched = await runSeed({ ...job, trace: (line) => lines.push(line), watched: 0, tellMessages: true });
  assert.deepEqual(watched, await runSeed(job));
  assert.ok(lines.length > 200);
});

test('seeds come to the same whether they run one after the other or at once', async () => {
  const jobs = [10, 11, 12, 13].map((seed) => ({ seed, events: 200, nodesMax: 5, campaign: mixedCampaign(seed) }));
  const told: number[] = [];
  const results = await runPool(jobs, 2, (job, result) => {
    assertSound(job, result);
    told.push(job.seed);
  });
  assert.deepEqual(
    told,
    jobs.map(({ seed }) => seed),
  );
  const alone: WorldResult[] = [];
  for (const job of jobs) alone.push(await runSeed(job));
  assert.equal(hashOfAll(results), hashOfAll(alone));
});

for (const { seed, campaign, events, nodes, found } of FOUND)
  test(`seed ${seed} of ${campaign} stays mended: ${found}`, async () => {
    const job = { seed, events, nodesMax: nodes, campaign };
    assertSound(job, await runSeed(job));
  });
