import { build, type OutputOptions } from 'rolldown';
import manifest from '../package.json' with { type: 'json' };

/** Sources, by the name of the output file without extension. */
export type Programs = Readonly<Record<string, string>>;

/**
 * Threads and processes that every output also needs. They lie next to the shared code, which starts them as `./NAME.js`,
 * but share no file with it: a starting thread loads one file with nothing in it that it does not need.
 */
const STARTED: Programs = {
  'store-worker': 'src/store/sqlite/threads/store-worker.ts',
  'end-with-parent': 'src/node/cli/demo/end-with-parent.ts',
};

/** Compiles programs into a folder, which is emptied first. Code that they share goes into separate files. */
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
