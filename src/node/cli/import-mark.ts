import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';

/** How far an import has come, with the collection and the state of the file that it belongs to. */
interface ImportMark {
  readonly collection: string;
  readonly fileBytes: number;
  readonly fileTime: number;
  readonly line: number;
}

/** A small file beside the imported one, with which `--resume` continues an interrupted import. */
export class ImportMarkFile {
  readonly #path: string;
  readonly #of: Omit<ImportMark, 'line'>;

  private constructor(path: string, of: Omit<ImportMark, 'line'>) {
    this.#path = path;
    this.#of = of;
  }

  static async beside(file: string, collection: string): Promise<ImportMarkFile> {
    const { size, mtimeMs } = await stat(file);
    return new ImportMarkFile(`${file}.import`, { collection, fileBytes: size, fileTime: mtimeMs });
  }

  /** The line after which the import continues; 0 if there is no mark, or it belongs to another file or collection. */
  async read(): Promise<number> {
    try {
      const { line, ...of } = JSON.parse(await readFile(this.#path, 'utf8')) as ImportMark;
      return Number.isSafeInteger(line) && JSON.stringify(of) === JSON.stringify(this.#of) ? line : 0;
    } catch {
      // No mark, or an incomplete one: start with the first line, which writes the same documents again.
      return 0;
    }
  }

  async write(line: number): Promise<void> {
    await writeFile(`${this.#path}.new`, JSON.stringify({ ...this.#of, line }), { mode: 0o600 });
    await rename(`${this.#path}.new`, this.#path);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
