/**
 * Goal: a seed makes one whole world, the same every time, and what a seed once found stays fixed. Method: seeds are run
 * twice and the hashes of their end states compared; every seed in seeds.json is replayed. The suite `sim` of
 * scripts/test.mjs runs 1,500 new seeds a day. The world itself checks the bounds on messages and memory (healing.ts,
 * load.ts).
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
  /** What was wrong when the seed was found. */
  readonly found: string;
}

const FOUND: readonly FoundSeed[] = JSON.parse(readFileSync(join(import.meta.dirname, 'seeds.json'), 'utf8'));
const CAMPAIGNS: readonly Campaign[] = ['chaos', 'twins', 'wear', 'programs', 'calm'];

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

test('many nodes agree over few links and then fall quiet', async () => {
  const nodes = 50;
  const job = { seed: 5, events: 60, nodesMax: nodes, campaign: 'chaos' } as const;
  const result = await runSeed(job);
  assertSound(job, result);
  assert.ok(result.writes > 20, `only ${result.writes} writes`);
  assert.ok(result.links >= nodes - 1 && result.links < 6 * nodes, `${result.links} links between ${nodes} nodes`);
});

test('tracing a seed does not change its outcome', async () => {
  const job = { seed: 3, events: 200, nodesMax: 5, campaign: 'chaos' } as const;
  const lines: string[] = [];
  const watched = await runSeed({ ...job, trace: (line) => lines.push(line), watched: 0, tellMessages: true });
  assert.deepEqual(watched, await runSeed(job));
  assert.ok(lines.length > 200);
});

test('seeds end in the same state whether they run one after another or in parallel', async () => {
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
