import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from '../../core/errors/index.ts';
import type { Random } from '../../core/ids/index.ts';
import { fileProblem, makePrivateFolder, pathProblem } from '../files/index.ts';
import { CONFIG_KEYS } from './config-keys.ts';

export interface NewConfigOptions {
  readonly path: string;
  /** Written as Persistence.DatabasePath, relative to the file. */
  readonly databasePath: string;
  /** Written as Network.AuthTokenFile. Null: a fresh token is written as Network.AuthToken. */
  readonly tokenFile: string | null;
  readonly nodeId: string | null;
  /** Whether to replace an existing file. */
  readonly force: boolean;
}

/** A fresh 128-bit token as 32 hex digits. */
export function createToken(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex');
}

/**
 * Writes a settings file that only its owner can read. Throws FILE_INVALID if the file exists or cannot be written, with nothing
 * changed, and OPTION_INVALID for a NodeId that the settings do not allow.
 */
export async function writeNewConfig(options: NewConfigOptions, random: Random): Promise<void> {
  requireNodeId(options.nodeId);
  const network =
    options.tokenFile === null ? { AuthToken: createToken(random) } : { AuthTokenFile: options.tokenFile };
  const content = {
    EntglDb: {
      ...(options.nodeId === null ? {} : { NodeId: options.nodeId }),
      Network: { TcpPort: 5000, UdpPort: 6000, ...network },
      Persistence: { DatabasePath: options.databasePath, EnableAutoBackup: true, BackupPath: 'backups/' },
    },
  };
  try {
    await makeFolder(dirname(options.path));
    await writeWhole(options, `${JSON.stringify(content, null, 2)}\n`);
  } catch (cause) {
    throw cause instanceof ConfigurationError ? cause : notWritten(options.path, cause as NodeJS.ErrnoException);
  }
}

async function makeFolder(path: string): Promise<void> {
  const problem = await pathProblem(path, 'folder');
  if (problem !== undefined) throw new ConfigurationError('FILE_INVALID', problem, { details: { path } });
  await makePrivateFolder(path);
}

/** A replaced file may hold the only copy of a token, so it stays until the new one is on disk. */
async function writeWhole({ path, force }: NewConfigOptions, text: string): Promise<void> {
  const draft = force ? `${path}.new` : path;
  let file: FileHandle | undefined;
  try {
    file = await open(draft, force ? 'w' : 'wx', 0o600);
    // The mode given to `open` applies to new files only; an old draft may have been readable by everybody.
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
    if (force) await rename(draft, path);
  } catch (error) {
    if (file !== undefined) await rm(draft, { force: true });
    throw error;
  } finally {
    await file?.close();
  }
}

function requireNodeId(nodeId: string | null): void {
  const { kind } = CONFIG_KEYS.NodeId;
  if (nodeId === null || kind.parse(nodeId) !== undefined) return;
  throw new ConfigurationError('OPTION_INVALID', `NodeId is ${JSON.stringify(nodeId)}; allowed is ${kind.allowed}`, {
    details: { key: 'NodeId', value: nodeId, allowed: kind.allowed },
  });
}

function notWritten(path: string, cause: NodeJS.ErrnoException): ConfigurationError {
  const message =
    cause.code === 'EEXIST'
      ? `${path} exists already; use --force to replace it, which also replaces the cluster token`
      : `cannot write ${path}: ${fileProblem(cause)}; ${cause.code === 'ENOSPC' ? 'free some space' : 'check its folder'}`;
  return new ConfigurationError('FILE_INVALID', message, { details: { path }, cause });
}
