// `npm run sim:mutants` plants every mutant in turn, looks for it, and plays every scenario with it. Arguments restrict the
// run to mutants whose name contains one of them; `--own` plays only a mutant's own scenario. `--write` writes the results
// to docs/torture/mutants.md. Exits with 1 if a mutant was not found or no longer fits the code, or if a scenario fails with
// a mutant that it does not name.
import { parseArgs, styleText } from 'node:util';
import { falseAlarms, howFound, huntAll, strayMutants } from './gate.ts';
import { MUTANTS } from './mutants.ts';
import { writeReport } from './report.ts';

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { own: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const wanted = MUTANTS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
const started = performance.now();
const alarms = [...strayMutants(wanted), ...(await falseAlarms())];
for (const alarm of alarms) process.stdout.write(`${alarm}\n`);
const verdicts = await huntAll(wanted, 2, { allScenarios: !values.own }, (verdict) => {
  const { mutant, faults, seconds } = verdict;
  const mark = faults.length === 0 ? styleText('green', '✔') : styleText('red', '✖');
  process.stdout.write(`${mark} ${mutant.name} (${seconds.toFixed(1)} s)  ${howFound(verdict).slice(0, 140)}\n`);
  for (const fault of faults) process.stdout.write(`    ${fault}\n`);
});
const seconds = (performance.now() - started) / 1000;
const missed = verdicts.filter(({ faults }) => faults.length > 0).length;
if (values.write) writeReport(verdicts, seconds);
process.stdout.write(`${verdicts.length} mutants, ${missed} not found, ${seconds.toFixed(0)} s\n`);
process.exitCode = missed + alarms.length > 0 ? 1 : 0;
