// `npm run bench:curves [-- --full]` measures how cost grows with documents and with nodes. With `--full`, up to a million
// documents, into docs/performance. Otherwise up to 100,000, or as `--sizes` and `--nodes` say, into bench/results/curves.
// `--draw` only redraws the plots in docs/performance from their data.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compilePrograms } from '../compiled.ts';
import { commit, machine } from '../report.ts';
import { runCase } from '../run-case.ts';
import { withScratch } from '../scratch.ts';
import { measureNodeCount, type NodeCount } from '../virtual/node-counts.ts';
import { curveCases, placeOf } from './curve-cases.ts';
import { type Curves, plotsOf } from './curves.ts';
import { type Point, svgPlot } from './svg-plot.ts';

const NODE_COUNTS = '2,8,32,128';
const SIZES_TRIED = '1000,10000,100000';
const SIZES_FULL = '10000,100000,1000000';
const RUNS = 3;

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    draw: { type: 'boolean', default: false },
    runs: { type: 'string', default: String(RUNS) },
    sizes: { type: 'string', default: SIZES_TRIED },
    nodes: { type: 'string', default: NODE_COUNTS },
  },
});
const root = join(import.meta.dirname, '..', '..');
const folder =
  values.full || values.draw ? join(root, 'docs', 'performance') : join(root, 'bench', 'results', 'curves');
const file = join(folder, 'curves.json');
mkdirSync(folder, { recursive: true });
if (!values.draw) writeFileSync(file, `${JSON.stringify(await measure(), null, 1)}\n`);
for (const [name, plot] of Object.entries(plotsOf(JSON.parse(readFileSync(file, 'utf8')) as Curves)))
  writeFileSync(join(folder, `${name}.svg`), svgPlot(plot));

async function measure(): Promise<Curves> {
  await compilePrograms();
  const runs = Number(values.runs);
  const sizes = numbersOf(values.full ? SIZES_FULL : values.sizes);
  const byNodes: NodeCount[] = [];
  for (const nodes of numbersOf(values.nodes))
    byNodes.push(await told(`${nodes} nodes`, () => measureNodeCount(nodes)));
  const bySize = await withScratch((scratch) => measureSizes(sizes, runs, scratch));
  return { at: new Date().toISOString(), commit: commit(), machine: machine(), runs, bySize, byNodes };
}

async function measureSizes(sizes: readonly number[], runs: number, scratch: string): Promise<Curves['bySize']> {
  const bySize: Record<string, Point[]> = {};
  for (const bench of curveCases(sizes)) {
    const options = { runs, folder: scratch, isFull: true, withPeers: false };
    const { figures } = await told(bench.name, () => runCase(bench, options));
    const { curve, documents } = placeOf(bench.name)!;
    for (const [figure, subjects] of Object.entries(figures))
      for (const [subject, { median }] of Object.entries(subjects)) {
        const line = `${curve}, ${figure}, ${subject}`;
        bySize[line] = [...(bySize[line] ?? []), [documents, Number(median.toPrecision(4))]];
      }
  }
  return bySize;
}

function numbersOf(list: string): number[] {
  return list.split(',').map(Number);
}

async function told<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  process.stderr.write(`${what} … `);
  const result = await work();
  process.stderr.write(`${Math.round((performance.now() - start) / 1000)} s\n`);
  return result;
}
