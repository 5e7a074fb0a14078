import { access, chmod, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { type Clock, sleep } from '../core/clock/index.ts';
import { TIMES } from '../core/config/index.ts';
import { isEntglDbError, messageOf, PersistenceError } from '../core/errors/index.ts';
import type { Logger } from '../core/logging/index.ts';
import { toFileError } from './files/index.ts';

/**
 * How a command finds the running node of a data directory: a file beside the database that only its owner can read. It may
 * be stale after a crash, so nothing in it is trusted before the node has answered to the secret.
 */
export interface NodeFile {
  readonly pid: number;
  readonly nodeId: string;
  /** URL of the HTTP server, without a trailing slash. */
  readonly url: string;
  /** Bearer token of this start. */
  readonly secret: string;
}

export function nodeFilePath(databasePath: string): string {
  return `${databasePath}.node.json`;
}

/** Replaces the file atomically: a reader sees the old one or the new one. Rejects with DISK_FULL and the like. */
export async function writeNodeFile(databasePath: string, content: NodeFile): Promise<void> {
  const path = nodeFilePath(databasePath);
  // Only the owner of the database writes it, so one that was killed leaves no more than this, and the next one takes it away.
  const draft = `${path}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    await chmod(draft, 0o600);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw toFileError(error, path);
  }
}

interface KeepDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Writes the file, and writes it again if somebody removes it, for example as a supposed leftover: without it no command finds the
 * node, and each says that the database is in use. A full disk keeps no node from starting: the file is written when there is room.
 * Rejects with any other error of the disk. Returns a function that stops this and removes the file.
 */
export async function keepNodeFile(
  databasePath: string,
  content: NodeFile,
  deps: KeepDeps,
): Promise<() => Promise<void>> {
  let problem: string | undefined;
  try {
    await writeNodeFile(databasePath, content);
  } catch (error) {
    if (!isEntglDbError(error, 'DISK_FULL')) throw error;
    if (!(await isWrittenOver(databasePath, content))) {
      problem = error.message;
      deps.logger.warn({ err: error }, UNFOUND);
    }
  }
  const stop = new AbortController();
  const kept = keep(databasePath, content, problem, deps, stop.signal).catch(() => {
    // Stopped.
  });
  return async () => {
    stop.abort();
    await kept;
    await removeNodeFile(databasePath, content.secret);
  };
}

const UNFOUND = 'commands do not find this node; it is tried again';

/** Tries to write over the file of an earlier start, which needs no new room, and tells whether it could. */
async function isWrittenOver(databasePath: string, content: NodeFile): Promise<boolean> {
  const text = Buffer.from(`${JSON.stringify(content)}\n`);
  const file = await open(nodeFilePath(databasePath), 'r+').catch(() => undefined);
  try {
    const written = await file?.write(text, 0, text.length, 0);
    await file?.truncate(text.length);
    return written?.bytesWritten === text.length;
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}

async function keep(
  databasePath: string,
  content: NodeFile,
  firstProblem: string | undefined,
  { clock, logger }: KeepDeps,
  signal: AbortSignal,
): Promise<void> {
  let problem = firstProblem;
  let isWritten = problem === undefined;
  for (;;) {
    await sleep(clock, TIMES.fileWatchMs, signal);
    if (isWritten && !(await isMissing(nodeFilePath(databasePath)))) continue;
    // If the database is missing too, it was moved away, which the node reports itself.
    if (await isMissing(databasePath)) continue;
    try {
      await writeNodeFile(databasePath, content);
      isWritten = true;
      problem = undefined;
    } catch (error) {
      const message = messageOf(error);
      if (message !== problem) logger.warn({ err: error }, UNFOUND);
      problem = message;
    }
  }
}

async function isMissing(path: string): Promise<boolean> {
  return access(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/**
 * Undefined if there is no file, or not a valid one: opening the database will then show whether a node runs on it. Throws
 * PERMISSION_DENIED if this user may not read it, because such a user must not be told that no node is running.
 */
export async function readNodeFile(databasePath: string): Promise<NodeFile | undefined> {
  const path = nodeFilePath(databasePath);
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isNodeFile(content) ? content : undefined;
  } catch (cause) {
    if (!isDenied(cause)) return undefined;
    const message = `this user may not read ${path}, which says where the node is; run the command as the user that the node runs as`;
    throw new PersistenceError('PERMISSION_DENIED', message, { details: { path }, cause });
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}

/** Removes the file, unless it belongs to another start. */
async function removeNodeFile(databasePath: string, secret: string): Promise<void> {
  const current = await readNodeFile(databasePath).catch(() => undefined);
  if (current?.secret === secret) await rm(nodeFilePath(databasePath), { force: true });
}

function isNodeFile(content: unknown): content is NodeFile {
  if (typeof content !== 'object' || content === null) return false;
  const { pid, nodeId, url, secret } = content as Record<string, unknown>;
  return typeof pid === 'number' && [nodeId, url, secret].every((field) => typeof field === 'string');
}
