import { build, type OutputOptions } from 'rolldown';
import manifest from '../package.json' with { type: 'json' };

/** Name in the output, without ending → source. */
export type Programs = Readonly<Record<string, string>>;

/**
 * Threads and processes of their own: every output has these, too. They lie where all shared code lies, which starts them as
 * `./NAME.js` beside itself. They share no file with it: what a thread loads when it starts is one file, with nothing in it that it
 * does not need then.
 */
const STARTED: Programs = {
  'maintenance-worker': 'src/store/sqlite/maintenance/maintenance-worker.ts',
  'end-with-parent': 'src/node/cli/demo/end-with-parent.ts',
};

/** Compiles programs, with what they share in files of its own, into a folder that is emptied first. */
export async function compile(programs: Programs, folder: string): Promise<void> {
  await compileInto(folder, programs, { cleanDir: true, chunkFileNames: '[name].js' });
  for (const [name, source] of Object.entries(STARTED))
    await compileInto(folder, { [name]: source }, { chunkFileNames: `${name}-[name].js` });
}

function compileInto(folder: string, input: Programs, output: OutputOptions): Promise<unknown> {
  return build({
    input,
    platform: 'node',
    external: Object.keys(manifest.dependencies).map((name) => new RegExp(`^${name}(/|$)`)),
    transform: { target: 'node22.18' },
    output: { ...output, dir: folder, sourcemap: true, keepNames: true, comments: { jsdoc: false } },
  });
}
