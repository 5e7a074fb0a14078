import type { StatementSync } from 'node:sqlite';
import { compareBytes } from '../../../core/ids/index.ts';
import { LIMITED } from './limited.ts';
import { type KeyedVersionColumns, ROW_VERSION_COLUMNS, VERSION_COLUMNS, versionColumns } from './row-codec.ts';

/** Tables with an index of dots. */
export type DotTable = 'doc' | 'sibling';

/** What to read, by ids of collection and replica; see `Store.delta`. */
export interface DeltaRange {
  readonly coll: number;
  readonly replica: number;
  readonly afterSeq: number;
  readonly limit: number;
  readonly charactersMax: number;
}

/** A page of one table. `end`: the seq up to which it has all rows; infinite if these are all. */
interface DeltaPage {
  readonly rows: KeyedVersionColumns[];
  readonly end: number;
}

/** Versions in the range over all given tables, in order of seq. `prepare` makes statements that return arrays. */
export function deltaRows(
  prepare: (sql: string) => StatementSync,
  tables: readonly DotTable[],
  range: DeltaRange,
): KeyedVersionColumns[] {
  const pages = tables.map((table) => pageOf(prepare, table, range));
  const rows = pages.flatMap((page) => page.rows);
  rows.sort((a, b) => a.seq - b.seq || compareBytes(a.key, b.key));
  const end = Math.min(endOf(rows, range), ...pages.map((page) => page.end));
  return rows.filter(({ seq }) => seq <= end);
}

/** A page never ends between versions with the same seq. There are several only if two lives violated R9. */
function pageOf(prepare: (sql: string) => StatementSync, table: DotTable, range: DeltaRange): DeltaPage {
  const { coll, replica, afterSeq, limit, charactersMax } = range;
  const columns = table === 'doc' ? ROW_VERSION_COLUMNS : VERSION_COLUMNS;
  const select = `SELECT ${columns} FROM ${table} WHERE coll = ? AND replica = ? AND seq`;
  const rows: KeyedVersionColumns[] = [];
  let characters = 0;
  for (const each of prepare(`${select} > ? ORDER BY seq ${LIMITED}`).iterate(coll, replica, afterSeq, limit)) {
    const row = versionColumns(each);
    rows.push(row);
    characters += row.value?.length ?? 0;
    if (characters >= charactersMax) break;
  }
  const end = endOf(rows, range);
  if (end === Number.POSITIVE_INFINITY) return { rows, end };
  const whole = prepare(`${select} = ?`).all(coll, replica, end).map(versionColumns);
  return { rows: [...rows.filter(({ seq }) => seq < end), ...whole], end };
}

/** The seq at which a bound of the range is reached; infinite if none is. */
function endOf(rows: readonly KeyedVersionColumns[], { limit, charactersMax }: DeltaRange): number {
  let characters = 0;
  const last = rows.find(({ value }, i) => {
    characters += value?.length ?? 0;
    return i + 1 >= limit || characters >= charactersMax;
  });
  return last?.seq ?? Number.POSITIVE_INFINITY;
}
