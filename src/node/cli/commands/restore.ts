import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ConfigurationError } from '../../../core/errors/index.ts';
import type { LoadedConfig } from '../../config/index.ts';
import { requirePath } from '../../files/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { loadCliConfig, tellWarnings, withStop } from '../open-target.ts';

/**
 * Puts a verified backup in the place of the database. If the node runs, fails with DATABASE_LOCKED. Looks for the file in the
 * working directory, then relative to the configuration, then in BackupPath.
 */
export async function restore(run: CommandRun, file: string): Promise<ExitCode> {
  const { context, globals, output } = run;
  const config = await loadCliConfig(context, globals);
  tellWarnings(run, config);
  const backupPath = await findBackup(file, context.workingDirectory, config);
  const path = config.values['Persistence.DatabasePath'];
  await requirePath('Persistence.DatabasePath', path, 'file');
  const { restoreSqliteFile } = await import('../../../store/index.ts');
  const options = { backupPath, path, pid: process.pid, clock: context.clock };
  const restoring = (signal: AbortSignal): Promise<string | undefined> => restoreSqliteFile({ ...options, signal });
  const aside =
    (await withStop(context, restoring, 'stopped while the backup was checked; nothing was changed')) ?? null;
  const kept = aside === null ? 'There was no database before.' : `The replaced database is kept as ${aside}.`;
  await output.answer({ path, backupPath, aside }, `Restored ${path} from ${backupPath}. ${kept}`);
  return EXIT.ok;
}

async function findBackup(file: string, workingDirectory: string, config: LoadedConfig): Promise<string> {
  const folder = config.values['Persistence.BackupPath'];
  const places = [resolve(workingDirectory, file), resolve(config.baseDirectory, file)];
  if (folder !== null) places.push(join(folder, file));
  for (const place of places)
    if (await isThere(place)) {
      if ((await stat(place)).isFile()) return place;
      throw new ConfigurationError('FILE_INVALID', `${place} is no file; name the file of a backup`, {
        details: { file: place },
      });
    }
  const looked = [...new Set(places)].join(', ');
  throw new ConfigurationError('FILE_NOT_FOUND', `there is no backup ${file}; looked for ${looked}; check the name`, {
    details: { file },
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    // The other places are tried, and the error names them all if the file is nowhere.
    return false;
  }
}
