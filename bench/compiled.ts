import { join } from 'node:path';
import { compile } from '../scripts/compile.ts';

const FOLDER = join(import.meta.dirname, 'compiled');

/** The program of a subject's process. It is compiled as the package is, so that what users have is measured. */
export const SUBJECT_PROGRAM = new URL('./compiled/subject-main.js', import.meta.url);

/** Compiles the programs of processes. Call before the first process starts. */
export function compilePrograms(): Promise<void> {
  return compile(
    { 'subject-main': 'bench/process/subject-main.ts', 'sender-main': 'bench/process/sender-main.ts' },
    FOLDER,
  );
}
