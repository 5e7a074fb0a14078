import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigurationError } from '../../../core/errors/index.ts';
import { writeNewConfig } from '../../config/index.ts';
import { fileProblem } from '../../files/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

export interface InitArguments {
  readonly tokenFile?: string;
  readonly nodeId?: string;
  readonly force?: boolean;
}

/** Writes the file named by `--config`; by default, `appsettings.json` in the folder of `--data` or the working directory. */
export async function init(run: CommandRun, { tokenFile, nodeId, force }: InitArguments): Promise<ExitCode> {
  const { context, globals, output } = run;
  const folder = resolve(context.workingDirectory, globals.data ?? '.');
  const path =
    globals.config === undefined ? join(folder, 'appsettings.json') : resolve(context.workingDirectory, globals.config);
  const options = {
    path,
    databasePath: databasePath(globals.data, globals.config === undefined, folder),
    tokenFile: tokenFile === undefined ? null : resolve(context.workingDirectory, tokenFile),
    nodeId: nodeId ?? null,
    force: force === true,
  };
  if (options.tokenFile !== null) await requireReadable(options.tokenFile);
  await writeNewConfig(options, context.random);
  const secret =
    tokenFile === undefined
      ? `It holds a fresh cluster token; copy the file to the other nodes${nodeId === undefined ? '' : ', each with a NodeId of its own'}.`
      : `It takes the cluster token from ${tokenFile}.`;
  const next = path === join(context.workingDirectory, 'appsettings.json') ? '' : ` --config ${shellWord(path)}`;
  const text = [`Wrote ${path}, readable by you alone. ${secret}`, `Next: entgldb start${next}`];
  await output.answer({ file: path, databasePath: options.databasePath }, text.join('\n'));
  return EXIT.ok;
}

/** As a shell takes it for one word. */
function shellWord(path: string): string {
  return /^[\p{L}\p{N}/\\:._+@-]+$/u.test(path) ? path : `"${path.replaceAll(/["$`]/g, '\\$&')}"`;
}

async function requireReadable(tokenFile: string): Promise<void> {
  try {
    await access(tokenFile, constants.R_OK);
  } catch (cause) {
    const message = `--token-file: cannot read ${tokenFile}: ${fileProblem(cause)}; write the token into a file there`;
    throw new ConfigurationError('FILE_NOT_FOUND', message, { details: { path: tokenFile }, cause });
  }
}

/** The database path to write into the file, so that `--config` alone finds the database that `--data` names. */
function databasePath(data: string | undefined, isInFolder: boolean, folder: string): string {
  if (data === undefined) return 'data/entgldb.db';
  return isInFolder ? 'entgldb.db' : join(folder, 'entgldb.db');
}
