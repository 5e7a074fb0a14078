import { type BigIntStats, existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PersistenceError } from '../../core/errors/index.ts';

/**
 * Where an open file lies. One that was removed or replaced meanwhile can be read and written all the same, and all of it is gone
 * when it is closed; what opens its path finds another one.
 */
export class FilePlace {
  readonly #path: string;
  readonly #opened: BigIntStats;

  constructor(path: string) {
    this.#path = path;
    this.#opened = statSync(path, { bigint: true });
  }

  /** Of those of the paths under which something lies now. */
  static ofAll(paths: readonly string[]): FilePlace[] {
    return paths.filter((path) => existsSync(path)).map((path) => new FilePlace(path));
  }

  static async areHeld(places: readonly FilePlace[]): Promise<boolean> {
    return (await Promise.all(places.map((place) => place.isHeld()))).every(Boolean);
  }

  /** False: nothing lies there, or another file. A place that nobody may look at just now is taken for sound. */
  async isHeld(): Promise<boolean> {
    try {
      return this.#isSame(await stat(this.#path, { bigint: true }));
    } catch (error) {
      return !isMissing(error);
    }
  }

  /** Throws IO_FAILED where the path leads nowhere, or to another file: before it is opened once more. */
  assertHeld(): void {
    const now = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (now !== undefined && this.#isSame(now)) return;
    throw new PersistenceError('IO_FAILED', `${this.#path} was removed or replaced while it was open`, {
      details: { path: this.#path },
    });
  }

  #isSame({ dev, ino }: BigIntStats): boolean {
    return dev === this.#opened.dev && ino === this.#opened.ino;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
