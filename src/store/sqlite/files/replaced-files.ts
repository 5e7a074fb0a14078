import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LOG_SUFFIXES } from './main-file.ts';

/** Main file and logs. The index of the write-ahead log holds nothing of its own. */
const SUFFIXES = ['', ...LOG_SUFFIXES.filter((suffix) => suffix !== '-shm')];

/** Between the path of the main file and the time at which it was replaced. */
const REPLACED = '.replaced-';
/** The same for a copy until the main file is replaced. */
const COPIED = '.replacing-';

/** Where a restore makes the new main file, before it takes the place of the old one. */
export function incomingPathOf(path: string): string {
  return `${path}.restoring`;
}

/** The files of a database that is replaced, under second names. */
export interface ReplacedFiles {
  /** Second name of the main file; those of the logs begin with it. Undefined if there was no main file. */
  readonly aside: string | undefined;
  /** Call if the database was not replaced: takes the second names away. */
  undo(): void;
  /** Call once another main file is in place: the logs of the replaced one leave their first names, and do not lie beside it. */
  finish(): void;
}

/**
 * Gives main file and logs second names, which begin with `PATH.replaced-` and the time: they may hold what a backup lacks. Until the
 * main file is replaced, the first names stay as they are. Where `link` fails, because the file system has no links, they are copied, and
 * the copies get these names only when the main file is replaced: nothing else would tell them from those of an earlier restore.
 */
export function keepReplaced(path: string, nowMs: number, link: typeof linkSync = linkSync): ReplacedFiles {
  const at = freeTime(path, nowMs);
  const aside = path + REPLACED + at;
  const made: string[] = [];
  const undo = (): void => {
    for (const name of made.toReversed()) rmSync(name, { force: true });
  };
  const kept = SUFFIXES.filter((suffix) => existsSync(path + suffix));
  try {
    for (const suffix of kept) {
      const names = [aside + suffix, path + COPIED + at + suffix] as const;
      made.push(...names);
      keepAs(path + suffix, names, link);
    }
  } catch (error) {
    undo();
    throw error;
  }
  return {
    aside: kept.includes('') ? aside : undefined,
    undo,
    finish: () => {
      nameCopies(path);
      for (const suffix of LOG_SUFFIXES) rmSync(path + suffix, { force: true });
    },
  };
}

/**
 * Removes what a restore left that was cut off: the half-made main file, and second names of files that are still in place. If the main
 * file was replaced already, the logs of the replaced one are set aside when it is opened, as they are not its own. To be called by the
 * owner of the database.
 */
export function removeInterruptedRestore(path: string): void {
  const incoming = incomingPathOf(path);
  // The incoming file is there until it takes its place, so it goes last.
  if (existsSync(incoming)) for (const at of copiesOf(path)) rmSync(path + COPIED + at);
  else nameCopies(path);
  for (const suffix of [...LOG_SUFFIXES, '']) rmSync(incoming + suffix, { force: true });
  const main = twinOf(path, path);
  if (main === undefined) return;
  // The main file comes last, because it tells that the others are to go.
  const twins = SUFFIXES.slice(1).map((suffix) => twinOf(path, path + suffix));
  for (const twin of [...twins, main]) if (twin !== undefined) rmSync(twin);
}

/** The main file was replaced: copies of what was there get the names under which they are kept. */
function nameCopies(path: string): void {
  for (const at of copiesOf(path)) renameSync(path + COPIED + at, path + REPLACED + at);
}

/** What follows `PATH.replacing-` in the names of copies. */
function copiesOf(path: string): string[] {
  const beginning = basename(path) + COPIED;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(beginning));
  return names.map((name) => name.slice(beginning.length));
}

/** The second name that a restore gave to a file; undefined: none. */
function twinOf(path: string, file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.nlink < 2) return undefined;
  const beginning = basename(path) + REPLACED;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(beginning));
  return names.map((name) => join(dirname(path), name)).find((name) => isSameFile(found, name));
}

function isSameFile({ dev, ino }: Stats, path: string): boolean {
  const other = statSync(path, { throwIfNoEntry: false });
  return other?.dev === dev && other.ino === ino;
}

/** That time, or the next milliseconds if a clock was set back to when there was a restore. */
function freeTime(path: string, nowMs: number): number {
  let at = Math.floor(nowMs);
  while (SUFFIXES.some((suffix) => existsSync(path + REPLACED + at + suffix))) at++;
  return at;
}

/** Gives the file a second name, or makes a durable copy if the file system has no links. */
function keepAs(path: string, [aside, copy]: readonly [string, string], link: typeof linkSync): void {
  try {
    link(path, aside);
  } catch {
    copyFileSync(path, copy, constants.COPYFILE_EXCL);
    syncFile(copy);
  }
}

/** Makes the content of a file durable. */
export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
