// The deterministic world from the command line: `npm run sim -- --seed 7` replays one seed, `--seeds 1000 --events 2000` runs many.
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
    'no-disks': { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});

const campaign = { twins: values.twins, disks: !values['no-disks'] };
const events = Number(values.events);
const nodesMax = Number(values.nodes);
const first = Number(values.seed ?? values.first);
const count = values.seed === undefined ? Number(values.seeds) : 1;

let failed = 0;
let writes = 0;
let frames = 0;
let last = '';
const started = performance.now();
for (let seed = first; seed < first + count; seed++) {
  const trace = values.trace ? { trace: (line: string) => process.stderr.write(`${line}\n`) } : {};
  const result = await runWorld({ seed, events, nodesMax, campaign, ...trace });
  writes += result.writes;
  frames += result.frames;
  last = result.hash;
  if (result.problems.length === 0) continue;
  failed++;
  process.stdout.write(`seed ${seed} FAILED; replay: npm run sim -- --seed ${seed} --events ${events} --nodes ${nodesMax}${values.twins ? ' --twins' : ''}\n`);
  for (const problem of result.problems) process.stdout.write(`  ${problem}\n`);
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${count} seeds of ${events} events: ${writes} writes, ${frames} frames, ${failed} failed, ${seconds.toFixed(1)} s\n`);
process.stdout.write(`state hash ${last}\n`);
process.exitCode = failed > 0 ? 1 : 0;
