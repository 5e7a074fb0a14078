/** Prepares the folder of a command, and finds out what is wrong with it afterwards. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandCase, View } from './command-cases.ts';
import { differences, type Populated, writeFiles } from './command-folder.ts';
import type { CommandRun } from './command-run.ts';
import { openTortureNode, readAll } from './open.ts';

/** Files that belong to a database, also to one that was killed or could not be closed. */
const DATABASE_FILES = /^entgldb\.db(-wal|-shm|-redo|-journal|\.lock|\.marker|\.device|\.pid|\.node\.json)?$/;

export function runOf(of: CommandCase, folder: string, { blobId }: Populated): CommandRun {
  return { folder, args: of.args.map((arg) => (arg === 'BLOB' ? blobId : arg)), isService: of.isService === true };
}

/** Runs work in a new folder with what was there before, and removes it. */
export async function withPopulated<T>(
  of: CommandCase,
  before: Populated,
  scratch: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(scratch, 'folder');
  try {
    writeFiles(folder, of.on === 'killed' ? before.killed : before.files);
    // A copy takes a new identity at its first opening, which is not what is to be interrupted.
    if (of.on !== 'killed') await (await openTortureNode({ folder, nodeId: 'victim' })).node.close();
    return await work(folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What lies in the folder and does not belong there once the process has ended in order. */
export function debrisIn(folder: string, of: CommandCase, before: Populated): string[] {
  const known = (name: string): boolean =>
    before.files.has(name) || before.killed.has(name) || DATABASE_FILES.test(name) || of.makes?.test(name) === true;
  const left = readdirSync(folder).filter((name) => !known(name));
  return left.length === 0 ? [] : [`left behind: ${left.join(', ')}`];
}

/** Opens the folder and compares it with what may be there. */
export async function stateProblems(
  folder: string,
  of: CommandCase,
  before: Populated,
  isDone: boolean,
): Promise<string[]> {
  try {
    const { node, db } = await openTortureNode({ folder, nodeId: 'victim' });
    try {
      const found = await readAll(db);
      const view: View = { folder, db, found, before, isDone };
      const isRestored = of.allowed !== undefined && differences(found, [before.saved]).length === 0;
      const big = await db.collection('big').count();
      return [
        ...differences(found, of.allowed?.(view) ?? [before.ledger]),
        ...(isRestored || big === before.bigCount ? [] : [`${big} documents of big`]),
        ...(await of.problems(view)),
      ];
    } finally {
      await node.close();
    }
  } catch (error) {
    return [`not usable afterwards: ${error instanceof Error ? error.stack : String(error)}`];
  }
}
