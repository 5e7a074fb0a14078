// Makes the files of the published package in dist: few of them, for Node takes about as long for a file as for a hundred
// kilobytes (docs/adr/0013). `tsc` adds the declarations.
import { compile } from './compile.ts';

await compile(
  { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts', 'node/cli/main': 'src/node/cli/main.ts' },
  'dist',
);
