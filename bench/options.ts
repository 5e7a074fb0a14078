import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Parts of the names of cases to run. Empty: all. */
  readonly filters: readonly string[];
  readonly runs: number;
  readonly isFull: boolean;
  /** Measure other databases too. */
  readonly withPeers: boolean;
  /** Run on one core at a quarter of its speed, with a small heap. */
  readonly isSmall: boolean;
  readonly writesBaseline: boolean;
  /** Compare with the committed baseline. */
  readonly checks: boolean;
}

const RUNS = 5;
/** On the small machine the question is whether everything works, not how fast. */
const SMALL_RUNS = 1;

export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      runs: { type: 'string' },
      full: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      small: { type: 'boolean', default: false },
      'write-baseline': { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
    },
  });
  return {
    filters: positionals,
    runs: Number(values.runs ?? (values.small ? SMALL_RUNS : RUNS)),
    isFull: values.full,
    withPeers: values.peers,
    isSmall: values.small,
    writesBaseline: values['write-baseline'],
    checks: values.check,
  };
}
