import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, Figures, Prepared, SubjectName } from './bench-case.ts';

export interface Measured {
  readonly median: number;
  /** (largest − smallest) ÷ median. */
  readonly spread: number;
  readonly runs: readonly number[];
}

export interface CaseResult {
  readonly name: string;
  readonly about: string;
  /** Figure → subject → what was measured. */
  readonly figures: Readonly<Record<string, Partial<Record<SubjectName, Measured>>>>;
}

const SUBJECTS: readonly SubjectName[] = ['ours', 'row', 'chained'];

/** Runs all subjects in turn, `runs` times, so that what else the machine does meets them alike. */
export async function runCase(bench: BenchCase, runs: number, parent: string): Promise<CaseResult> {
  const folder = mkdtempSync(join(parent, 'case-'));
  const prepared = new Map<SubjectName, Prepared>();
  const figures = new Map<SubjectName, Figures[]>();
  try {
    for (const name of SUBJECTS) {
      const subject = bench.subjects[name];
      if (!subject) continue;
      mkdirSync(join(folder, name));
      prepared.set(name, await subject(join(folder, name)));
    }
    for (let round = 0; round < runs; round++) {
      for (const [name, subject] of prepared)
        figures.set(name, [...(figures.get(name) ?? []), await subject.run(round)]);
    }
  } finally {
    for (const subject of prepared.values()) await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { name: bench.name, about: bench.about, figures: tabulate(figures) };
}

function tabulate(figures: ReadonlyMap<SubjectName, readonly Figures[]>): CaseResult['figures'] {
  const table: Record<string, Partial<Record<SubjectName, Measured>>> = {};
  for (const [subject, runs] of figures) {
    for (const name of Object.keys(runs[0] ?? {})) {
      table[name] = { ...table[name], [subject]: measuredOf(runs.map((run) => run[name] ?? Number.NaN)) };
    }
  }
  return table;
}

function measuredOf(runs: readonly number[]): Measured {
  const sorted = [...runs].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? Number.NaN;
  return { median, spread: (sorted.at(-1)! - sorted[0]!) / median, runs };
}
