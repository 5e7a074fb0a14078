import { ConfigurationError } from '../../core/errors/index.ts';
import type { Delimiter, TransferFormat } from '../transfer/index.ts';

/** Options that import and export share, as they were given. */
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

/** The format that is named, else the one of the file's ending, else NDJSON. */
export function parseFormat(format: string | undefined, file: string | undefined): TransferFormat {
  if (format === 'csv' || format === 'ndjson') return format;
  if (format !== undefined)
    throw new ConfigurationError('USAGE', `--format ${JSON.stringify(format)} is unknown; use csv or ndjson`);
  return file !== undefined && /\.(csv|tsv)$/i.test(file) ? 'csv' : 'ndjson';
}

/** The delimiter that is named; else a tab for files that end so, and a comma for others. */
export function parseDelimiter(delimiter: string | undefined, file: string | undefined): Delimiter {
  if (delimiter === undefined) return file !== undefined && /\.tsv$/i.test(file) ? '\t' : ',';
  const found = DELIMITERS.get(delimiter);
  if (found !== undefined) return found;
  throw new ConfigurationError('USAGE', `--delimiter ${JSON.stringify(delimiter)} is unknown; use , ; | or tab`);
}
