import { ConfigurationError } from '../../core/errors/index.ts';
import type { Delimiter, TransferFormat } from '../transfer/index.ts';

/** Options that import and export share, as given. */
export interface TransferArguments {
  readonly format?: string;
  readonly delimiter?: string;
  readonly resume?: boolean;
}

const DELIMITERS: ReadonlyMap<string, Delimiter> = new Map<string, Delimiter>([
  [',', ','],
  [';', ';'],
  ['|', '|'],
  ['\t', '\t'],
  ['tab', '\t'],
]);

/** The named format; by default that of the file's extension, otherwise NDJSON. */
export function parseFormat(format: string | undefined, file: string | undefined): TransferFormat {
  if (format === 'csv' || format === 'ndjson') return format;
  if (format !== undefined)
    throw new ConfigurationError('USAGE', `--format ${JSON.stringify(format)} is unknown; use csv or ndjson`);
  if (file !== undefined && /\.(xlsx?|ods|numbers)$/i.test(file)) {
    const message = `${file}: files of spreadsheet programs are neither read nor written; use a .csv file, which they open and save`;
    throw new ConfigurationError('USAGE', message);
  }
  return file !== undefined && /\.(csv|tsv)$/i.test(file) ? 'csv' : 'ndjson';
}

/** The named delimiter; by default a tab for `.tsv` files, otherwise a comma. */
export function parseDelimiter(delimiter: string | undefined, file: string | undefined): Delimiter {
  if (delimiter === undefined) return file !== undefined && /\.tsv$/i.test(file) ? '\t' : ',';
  const found = DELIMITERS.get(delimiter);
  if (found !== undefined) return found;
  throw new ConfigurationError('USAGE', `--delimiter ${JSON.stringify(delimiter)} is unknown; use , ; | or tab`);
}
