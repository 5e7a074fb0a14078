/** Disks of a few megabytes for tests: tmpfs, which needs root on Linux. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { atEnd } from './cleanup.ts';

const CHUNK_BYTES = 4096;

/** Why a disk cannot be made here; undefined if it can. */
export function whyNoDisk(): string | undefined {
  if (process.platform !== 'linux') return 'a small disk is made with tmpfs, which only Linux has';
  if (process.getuid?.() !== 0) return 'a small disk is mounted, which needs root';
  const folder = mkdtempSync(join(tmpdir(), 'entgldb-disk-'));
  try {
    mount(folder, 1);
    unmount(folder);
    return undefined;
  } catch (error) {
    return `a small disk cannot be mounted: ${(error as Error).message.trim()}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Mounts an empty disk, which is unmounted after the test. Returns its folder. */
export function mountDisk(t: TestContext, folder: string, megabytes: number): string {
  mkdirSync(folder, { recursive: true });
  mount(folder, megabytes);
  atEnd(t, () => unmount(folder));
  return folder;
}

/** Fills the disk by appending to this file until nothing more fits. */
export function fillDisk(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let bytes = CHUNK_BYTES; bytes > 0; bytes = bytes === CHUNK_BYTES ? 1 : 0) writeUntilFull(file, bytes);
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, bytes: number): void {
  const chunk = Buffer.alloc(bytes, 1);
  try {
    while (writeSync(file, chunk) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function mount(folder: string, megabytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'pipe' });
}

/** Lazily: a process that is just ending may still hold it. */
function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
}
