/** The files of a data directory, which can be put back as they were or as a fault left them. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { neverCopied } from '../../src/store/sqlite/test-folder.ts';

export class Folder {
  readonly path: string;
  readonly #main: string;

  /** `main`: the file that keeps its inode, from which the database sees that it is no copy. Its marker says the same. */
  constructor(path: string, main: string) {
    this.path = path;
    this.#main = main;
  }

  read(): Map<string, Buffer> {
    const names = readdirSync(this.path).filter(isKept);
    return new Map(names.map((name) => [name, readFileSync(join(this.path, name))]));
  }

  /** Replaces all files of the folder. If there is to be no main file, the real one waits beside the folder. */
  lay(files: ReadonlyMap<string, Buffer>): void {
    const [main, parked] = [join(this.path, this.#main), `${this.path}.main`];
    if (existsSync(main)) renameSync(main, parked);
    for (const name of readdirSync(this.path)) rmSync(join(this.path, name), { recursive: true });
    for (const [name, content] of files) {
      if (name === this.#main) renameSync(parked, main);
      if (isKept(name)) writeFileSync(join(this.path, name), content, { mode: 0o600 });
    }
    neverCopied(main);
  }
}

/** Not the index of the log: it is memory shared by processes, and worthless once they are gone. */
export function isKept(name: string): boolean {
  return !name.endsWith('-shm');
}
