// Makes the files of the published package in dist. There are few of them, because loading one more file takes Node about as
// long as a hundred kilobytes of code (docs/adr/0013). `tsc` adds the declarations.
import { compile } from './compile.ts';

await compile(
  { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts', 'node/cli/main': 'src/node/cli/main.ts' },
  'dist',
);
