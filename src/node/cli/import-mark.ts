import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { toFileError } from '../files/index.ts';

/** What an import is of: one that differs in anything begins with the first line. */
export interface ImportIdentity {
  readonly collection: string;
  /** Replica id of the database: another one, or one that was restored, lacks what this one holds. */
  readonly replica: string;
  readonly format: string;
  readonly delimiter: string | undefined;
  readonly keyField: string | undefined;
  readonly isAllText: boolean;
}

/** A small file beside the imported one, with which `--resume` continues an interrupted import. */
export class ImportMarkFile {
  readonly #path: string;
  /** What the import is of, with the state of the file. */
  readonly #of: string;

  private constructor(path: string, of: string) {
    this.#path = path;
    this.#of = of;
  }

  static async beside(file: string, identity: ImportIdentity): Promise<ImportMarkFile> {
    const { size, mtimeMs } = await stat(file);
    return new ImportMarkFile(`${file}.import`, JSON.stringify({ ...identity, fileBytes: size, fileTime: mtimeMs }));
  }

  /** The line after which the import continues; 0 if there is no mark, or it belongs to another import. */
  async read(): Promise<number> {
    try {
      const { line, of } = JSON.parse(await readFile(this.#path, 'utf8')) as { line: unknown; of: unknown };
      return typeof line === 'number' && Number.isSafeInteger(line) && of === this.#of ? line : 0;
    } catch {
      // No mark, or an incomplete one: start with the first line, which writes the same documents again.
      return 0;
    }
  }

  /** Rejects with DISK_FULL, PERMISSION_DENIED or IO_FAILED. */
  async write(line: number): Promise<void> {
    const draft = `${this.#path}.new`;
    try {
      await writeFile(draft, JSON.stringify({ line, of: this.#of }), { mode: 0o600 });
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw toFileError(error, this.#path);
    }
  }

  /** Rejects as `write` does. */
  async remove(): Promise<void> {
    try {
      for (const path of [`${this.#path}.new`, this.#path]) await rm(path, { force: true });
    } catch (error) {
      throw toFileError(error, this.#path);
    }
  }
}
