import { describeConfig } from '../../config/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatTable } from '../format.ts';
import { loadCliConfig } from '../open-target.ts';

/** Shows every effective value and where it came from, with secrets masked. */
export async function config(run: CommandRun): Promise<ExitCode> {
  const loaded = await loadCliConfig(run.context, run.globals);
  const values = describeConfig(loaded);
  const rows = values.map(({ key, value, source }) => [key, value === null ? '-' : shown(value), source]);
  const file =
    loaded.file === null ? 'No configuration file; `entgldb init` writes one.' : `Configuration file ${loaded.file}`;
  const text = [
    file,
    '',
    formatTable(['KEY', 'VALUE', 'FROM'], rows),
    ...loaded.warnings.map((warning) => `! ${warning}`),
  ];
  await run.output.answer({ file: loaded.file, values, warnings: loaded.warnings }, text.join('\n'));
  return EXIT.ok;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
