import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCENARIOS } from '../scenarios/index.ts';
import type { Verdict } from './gate.ts';
import { MUTANTS } from './mutants.ts';

const FILE = join(import.meta.dirname, '../../docs/torture/mutants.md');

/** Writes the results of a run of the gate as a readable report. */
export function writeReport(verdicts: readonly Verdict[], seconds: number): void {
  const missed = verdicts.filter(({ faults }) => faults.length > 0).length;
  const byScenario = verdicts.filter(({ mutant }) => mutant.scenario !== undefined).length;
  const lines = [
    `# Planted bugs, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    '',
    `Commit ${commit()}, Node ${process.version}: ${verdicts.length} mutants, ${missed} not found, ${seconds.toFixed(0)} s.`,
    `${verdicts.length - byScenario} were found by random schedules, ${byScenario} by one of ${SCENARIOS.length} directed scenarios.`,
    'Made by `npm run sim:mutants -- --write`; [guarantees](../guarantees.md#planted-bugs) says what it proves.',
    '',
    'Seeds: how many worlds were run, from the first one named, until the mutant was found; each of those worlds is clean without it.',
    '',
    '| Mutant | Rule | Found by | Seeds | What was wrong |',
    '|---|---|---|---:|---|',
    ...inOrder(verdicts).map(rowOf),
    '',
  ];
  writeFileSync(FILE, lines.join('\n'));
}

function inOrder(verdicts: readonly Verdict[]): Verdict[] {
  return [...verdicts].sort((a, b) => MUTANTS.indexOf(a.mutant) - MUTANTS.indexOf(b.mutant));
}

function rowOf({ mutant, seed, problem, faults }: Verdict): string {
  const { name, rule, scenario, campaign = 'chaos', first = 0 } = mutant;
  const by = scenario === undefined ? `${campaign}, seed ${seed}` : `scenario: ${scenario}`;
  const seeds = seed === undefined ? '–' : String(seed - first + 1);
  const what = faults.length > 0 ? `**${faults[0]}**` : problem;
  return `| ${[name, rule, by, seeds, what].map(cell).join(' | ')} |`;
}

function cell(text = ''): string {
  return text.split('\n')[0]!.replaceAll('|', '\\|').trim();
}

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--', 'src', 'sim') !== '';
  return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
}
