import type { Limits } from '../../core/config/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/query/index.ts';
import type { Document } from '../../database/index.ts';
import { valueOfCell } from './csv-cells.ts';
import { checkDocument, type ImportedDocument, KEY_FIELDS, keyFieldOf } from './parse-document-line.ts';
import type { CsvRow } from './read-csv.ts';

/** Column that holds the key in an export; it is not a field of the document. */
export const KEY_COLUMN = '_key';

export interface RowOptions {
  readonly keyField: string | undefined;
  /** Whether every cell is a text. Otherwise numbers, booleans and JSON are read as such. */
  readonly isAllText: boolean;
  readonly limits: Limits;
}

/** The names of the columns. Throws INVALID_DOCUMENT if one is missing or appears twice, or if there is no column for the key. */
export function parseHead({ number, cells }: CsvRow, keyField: string | undefined): readonly string[] {
  const names = new Set<string>();
  for (const [i, name] of cells.entries()) {
    if (name === '') throw rowError(number, `column ${i + 1} has no name; the first line names the columns`);
    if (names.size === names.add(name).size) throw rowError(number, `two columns are named ${JSON.stringify(name)}`);
  }
  requireKeyColumn(number, cells, keyField);
  return cells;
}

/**
 * Parses a record as a document; an empty cell is an absent field. The key is in the column `_key`, or in the field that
 * `keyField` names (default: `_id`, `id` or `key`). Throws as `parseDocumentLine` does.
 */
export function parseDocumentRow(row: CsvRow, head: readonly string[], options: RowOptions): ImportedDocument {
  if (row.cells.length !== head.length)
    throw rowError(row.number, `has ${row.cells.length} cells where the first line names ${head.length} columns`);
  const fields: [string, JsonValue][] = [];
  let key: string | undefined;
  for (const [i, name] of head.entries()) {
    const cell = row.cells[i]!;
    if (name === KEY_COLUMN && options.keyField === undefined) key = cell;
    else {
      const value = options.isAllText && cell !== '' ? cell : valueOfCell(cell);
      if (value !== undefined) fields.push([name, value]);
    }
  }
  const value: Document = Object.fromEntries(fields);
  return checkDocument(row.number, options.limits, () => ({
    key: key === undefined ? keyFieldOf(value, options.keyField) : key,
    value,
  }));
}

/** Without one, the table most likely has another sign between its cells than a comma, as spreadsheets write it in many countries. */
function requireKeyColumn(line: number, head: readonly string[], keyField: string | undefined): void {
  const names = keyField === undefined ? KEY_FIELDS : [keyField];
  if (names.some((name) => head.includes(name))) return;
  const columns = head.map((name) => JSON.stringify(name)).join(', ');
  const remedy = 'name the one with the key, or the sign between the cells (--key-field, --delimiter)';
  throw rowError(line, `no column is named ${names.join(' or ')}; the columns are ${columns}; ${remedy}`);
}

function rowError(line: number, what: string): PersistenceError {
  return new PersistenceError('INVALID_DOCUMENT', `line ${line}: ${what}`, { details: { line } });
}
