import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Mutant, plant } from './mutant.ts';

export interface Verdict {
  readonly mutant: Mutant;
  readonly isFound: boolean;
  /** Seed or scenario, and what was wrong there. */
  readonly how: string;
  readonly seconds: number;
}

const ROOT = join(import.meta.dirname, '../..');
/** A mutant may make the world spin; that it hangs is how it is found. */
const HUNT_SECONDS_MAX = 120;

/** Mutants whose text is not in its file any more: each must follow the code. */
export function strayMutants(mutants: readonly Mutant[]): string[] {
  return mutants.flatMap((mutant) => {
    try {
      plant(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

/** Hunts them all, `atOnce` in parallel, each in a process of its own. */
export async function hunt(
  mutants: readonly Mutant[],
  atOnce: number,
  tell: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const left = [...mutants];
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const verdict = await huntOne(mutant);
      verdicts.push(verdict);
      tell(verdict);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return verdicts;
}

function huntOne(mutant: Mutant): Promise<Verdict> {
  const started = performance.now();
  const args = ['--import', join(import.meta.dirname, 'plant.ts'), join(import.meta.dirname, 'hunt.ts')];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ENTGLDB_MUTANT: mutant.name },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: HUNT_SECONDS_MAX * 1000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      const seconds = (performance.now() - started) / 1000;
      resolve({ mutant, ...readHunt(code, signal, output), seconds });
    });
  });
}

function readHunt(code: number | null, signal: string | null, output: string): { isFound: boolean; how: string } {
  if (signal !== null) return { isFound: true, how: `hangs for more than ${HUNT_SECONDS_MAX} s` };
  try {
    const found: unknown = JSON.parse(output);
    if (code === 1 && found === null) return { isFound: false, how: 'not found' };
    const { where, problem } = found as { where: string; problem: string };
    return { isFound: true, how: `${where}: ${problem}` };
  } catch {
    return { isFound: false, how: `the hunt itself failed: ${output.trim().slice(0, 2000)}` };
  }
}
