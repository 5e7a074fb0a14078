// `npm run sim:mutants` plants every mutant in turn and looks for it; names as arguments restrict it to those. Exit 1 when one
// was not found, or no longer fits the code.
import { styleText } from 'node:util';
import { hunt, strayMutants } from './gate.ts';
import { MUTANTS } from './mutants.ts';

const names = process.argv.slice(2);
const wanted = MUTANTS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
const stray = strayMutants(wanted);
for (const problem of stray) process.stdout.write(`${problem}\n`);
const started = performance.now();
const verdicts = await hunt(wanted, 2, ({ mutant, isFound, how, seconds }) => {
  const mark = styleText(isFound ? 'green' : 'red', isFound ? '✔' : '✖');
  process.stdout.write(`${mark} ${mutant.name} (${seconds.toFixed(1)} s)  ${how.slice(0, 140)}\n`);
});
const missed = verdicts.filter(({ isFound }) => !isFound).length;
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${verdicts.length} mutants, ${missed} not found, ${seconds.toFixed(0)} s\n`);
process.exitCode = missed + stray.length > 0 ? 1 : 0;
