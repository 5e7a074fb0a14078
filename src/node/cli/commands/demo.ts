import { ConfigurationError } from '../../../core/errors/index.ts';
import type { CommandRun } from '../cli-context.ts';
import type { ExitCode } from '../exit-code.ts';

export async function demo(_run: CommandRun): Promise<ExitCode> {
  throw new ConfigurationError('USAGE', 'this build has no demo yet; run `entgldb start` on two machines instead');
}
