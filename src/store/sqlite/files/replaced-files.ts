import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LOG_SUFFIXES } from './main-file.ts';

/** Main file and logs. The index of the write-ahead log holds nothing of its own. */
const SUFFIXES = ['', ...LOG_SUFFIXES.filter((suffix) => suffix !== '-shm')];

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
  removeLogs(): void;
}

/**
 * Gives main file and logs second names, which begin with `PATH.replaced-` and the time: they may hold what a backup lacks. Until the
 * main file is replaced, the first names stay as they are.
 */
export function keepReplaced(path: string, nowMs: number): ReplacedFiles {
  const aside = freeName(path, nowMs);
  const made: string[] = [];
  const undo = (): void => {
    for (const name of made.toReversed()) rmSync(name, { force: true });
  };
  try {
    for (const suffix of SUFFIXES) {
      if (!existsSync(path + suffix)) continue;
      made.push(aside + suffix);
      keepAs(path + suffix, aside + suffix);
    }
  } catch (error) {
    undo();
    throw error;
  }
  return {
    aside: made.includes(aside) ? aside : undefined,
    undo,
    removeLogs: () => {
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
  for (const suffix of ['', ...LOG_SUFFIXES]) rmSync(incomingPathOf(path) + suffix, { force: true });
  const main = twinOf(path, path);
  if (main === undefined) return;
  // The main file comes last, because it tells that the others are to go.
  const twins = SUFFIXES.slice(1).map((suffix) => twinOf(path, path + suffix));
  for (const twin of [...twins, main]) if (twin !== undefined) rmSync(twin);
}

/** The second name that a restore gave to a file; undefined: none. */
function twinOf(path: string, file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.nlink < 2) return undefined;
  const beginning = `${basename(path)}.replaced-`;
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(beginning));
  return names.map((name) => join(dirname(path), name)).find((name) => isSameFile(found, name));
}

function isSameFile({ dev, ino }: Stats, path: string): boolean {
  const other = statSync(path, { throwIfNoEntry: false });
  return other?.dev === dev && other.ino === ino;
}

/** A name of that time, or of the next milliseconds if a clock was set back to when there was a restore. */
function freeName(path: string, nowMs: number): string {
  for (let at = Math.floor(nowMs); ; at++) {
    const name = `${path}.replaced-${at}`;
    if (!SUFFIXES.some((suffix) => existsSync(name + suffix))) return name;
  }
}

/** Gives the file a second name, or makes a durable copy if the file system has no links. */
function keepAs(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    copyFileSync(path, aside, constants.COPYFILE_EXCL);
    syncFile(aside);
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
