// The deterministic world from the command line: `npm run sim -- --seed 7` replays one seed, `--seeds 1000 --events 2000` runs
// many, `--calm` and `--twins` are other campaigns; `--trace` tells every step, with
// `--messages` every message, and of `--write 7` where it is. Exit 1 if anything was not as it should be.
import { parseArgs } from 'node:util';
import { runWorld } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '0' },
    events: { type: 'string', default: '2000' },
    nodes: { type: 'string', default: '5' },
    twins: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    messages: { type: 'boolean', default: false },
    write: { type: 'string' },
  },
});

const campaign = values.twins ? 'twins' : values.calm ? 'calm' : 'chaos';
const events = Number(values.events);
const nodesMax = Number(values.nodes);
const first = Number(values.seed ?? values.first);
const count = values.seed === undefined ? Number(values.seeds) : 1;

const totals = {
  failed: 0,
  writes: 0,
  frames: 0,
  healMs: 0,
  healMsMax: 0,
  clones: 0,
  ambiguous: 0,
  lost: 0,
  zombies: 0,
  diverged: 0,
  residues: 0,
};
let last = '';
const started = performance.now();
for (let seed = first; seed < first + count; seed++) {
  const trace = values.trace ? { trace: (line: string) => process.stderr.write(`${line}\n`) } : {};
  const watched = values.write === undefined ? {} : { watched: Number(values.write) };
  const result = await runWorld({
    seed,
    events,
    nodesMax,
    campaign,
    ...trace,
    ...watched,
    tellMessages: values.messages,
  });
  totals.writes += result.writes;
  totals.frames += result.frames;
  totals.healMs += result.healMs;
  totals.healMsMax = Math.max(totals.healMsMax, result.healMs);
  totals.clones += result.residue.clones;
  totals.ambiguous += result.residue.ambiguousDocuments;
  totals.lost += result.residue.lost;
  totals.zombies += result.residue.zombies;
  totals.diverged += result.residue.diverged;
  if (result.residue.lost + result.residue.zombies + result.residue.diverged > 0) totals.residues++;
  last = result.hash;
  if (result.problems.length === 0) continue;
  totals.failed++;
  const flags = campaign === 'chaos' ? '' : ` --${campaign}`;
  process.stdout.write(
    `seed ${seed} FAILED; replay: npm run sim -- --seed ${seed} --events ${events} --nodes ${nodesMax}${flags}\n`,
  );
  for (const problem of result.problems) process.stdout.write(`  ${problem}\n`);
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(
  `${count} seeds of ${events} events: ${totals.writes} writes, ${totals.frames} frames, ${totals.failed} failed, ${seconds.toFixed(1)} s; ` +
    `healed in ${(totals.healMs / count / 1000).toFixed(1)} s on average, ${totals.healMsMax / 1000} s at most\n`,
);
if (campaign === 'twins')
  process.stdout.write(
    `residue: ${totals.clones} clones, ${totals.ambiguous} ambiguous documents, ${totals.lost} writes lost, ${totals.zombies} back, ${totals.diverged} documents unequal, in ${totals.residues} seeds\n`,
  );
process.stdout.write(`state hash ${last}\n`);
process.exitCode = totals.failed > 0 ? 1 : 0;
