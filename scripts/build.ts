// Makes the files of the published package in dist: few of them, for Node takes about as long for a file as for a hundred
// kilobytes (docs/adr/0013). `tsc` adds the declarations.
import { build } from 'rolldown';
import manifest from '../package.json' with { type: 'json' };

/** Threads and processes of their own. They lie where all shared code lies, which starts them as `./NAME.js` beside itself. */
const STARTED = {
  'maintenance-worker': 'src/store/sqlite/maintenance-worker.ts',
  'end-with-parent': 'src/node/cli/demo/end-with-parent.ts',
};

await build({
  input: {
    index: 'src/index.ts',
    'testing/index': 'src/testing/index.ts',
    'node/cli/main': 'src/node/cli/main.ts',
    ...STARTED,
  },
  platform: 'node',
  external: Object.keys(manifest.dependencies).map((name) => new RegExp(`^${name}(/|$)`)),
  transform: { target: 'node22.18' },
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: '[name].js',
    sourcemap: true,
    keepNames: true,
    comments: { jsdoc: false },
  },
});
