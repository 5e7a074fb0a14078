import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigurationError } from '../../core/errors/index.ts';
import type { Random } from '../../core/ids/index.ts';
import { fileProblem, makePrivateFolder, pathProblem, syncFolder } from '../files/index.ts';
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

/**
 * The file lies whole and durably under its name on return. A replaced one may hold the only copy of a token, so it stays until the
 * new one is on disk.
 */
async function writeWhole({ path, force }: NewConfigOptions, text: string): Promise<void> {
  const draft = `${path}.new`;
  // What was left behind may be open to everybody, or the very file that is to be replaced, under a second name.
  await rm(draft, { force: true });
  if (!force && (await isThere(path))) throw existsError();
  try {
    await writeDraft(draft, text);
    if (force) await rename(draft, path);
    else await publishNew(draft, path);
    await syncFolder(dirname(path));
  } finally {
    // If the disk refuses, the next one does it.
    await rm(draft, { force: true }).catch(() => {});
  }
}

async function writeDraft(draft: string, text: string): Promise<void> {
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Uses a link, which unlike a rename never replaces a file that appeared meanwhile. Some file systems have no links. */
async function publishNew(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch {
    if (await isThere(path)) throw existsError();
    await rename(draft, path);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function existsError(): NodeJS.ErrnoException {
  return Object.assign(new Error('it exists'), { code: 'EEXIST' });
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
