import { join } from 'node:path';
import { compile } from '../scripts/compile.ts';

const FOLDER = join(import.meta.dirname, 'compiled');

/** Programs that run as processes of their own, compiled as the package is published: what users have is what is measured. */
export const SUBJECT_PROGRAM = new URL('./compiled/subject-main.js', import.meta.url);

/** Before the first process starts. */
export function compilePrograms(): Promise<void> {
  return compile(
    { 'subject-main': 'bench/process/subject-main.ts', 'sender-main': 'bench/process/sender-main.ts' },
    FOLDER,
  );
}
