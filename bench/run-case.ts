import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, Figures, Scale, SubjectName } from './bench-case.ts';
import { SUBJECT_PROGRAM } from './compiled.ts';
import { Remote } from './process/remote.ts';
import type { SubjectCommand } from './process/subject-main.ts';
import { type Measured, measuredOf } from './statistics.ts';

export interface CaseResult {
  readonly name: string;
  readonly about: string;
  /** What was measured, by figure and then by subject. */
  readonly figures: Readonly<Record<string, Partial<Record<SubjectName, Measured>>>>;
}

export interface RunOptions extends Scale {
  readonly runs: number;
  /** Scratch space. */
  readonly folder: string;
}

type SubjectProcess = Remote<SubjectCommand, Figures>;

/** Runs the subjects in turn, each in a process of its own, so that other work on the machine affects all alike. */
export async function runCase(bench: BenchCase, options: RunOptions): Promise<CaseResult> {
  const folder = mkdtempSync(join(options.folder, 'case-'));
  const names = Object.keys(bench.subjects) as SubjectName[];
  const open = new Map<SubjectName, SubjectProcess>();
  const figures = new Map<SubjectName, Figures[]>(names.map((name) => [name, []]));
  const close = async (name: SubjectName) => {
    const subject = open.get(name);
    open.delete(name);
    await subject?.tell({ kind: 'close' });
    await subject?.close();
  };
  try {
    for (let round = 0; round < Math.min(options.runs, bench.runs ?? options.runs); round++) {
      for (const name of names) {
        const subject = open.get(name) ?? (await prepare(bench, name, join(folder, name), options));
        open.set(name, subject);
        figures.get(name)!.push(await subject.tell({ kind: 'run', round }));
        if (bench.isFreshProcess) await close(name);
      }
    }
    for (const name of names) await close(name);
  } finally {
    for (const subject of open.values()) await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return { name: bench.name, about: bench.about, figures: tabulate(figures) };
}

async function prepare(
  { name: caseName, heapMibMax }: BenchCase,
  subject: SubjectName,
  folder: string,
  { isFull, withPeers }: Scale,
): Promise<SubjectProcess> {
  mkdirSync(folder, { recursive: true });
  const remote: SubjectProcess = new Remote(SUBJECT_PROGRAM, { heapMibMax });
  await remote.tell({ kind: 'prepare', caseName, subject, scale: { isFull, withPeers }, folder });
  return remote;
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
