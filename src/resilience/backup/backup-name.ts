/** Always a copy of the newest backup, under a name that users can rely on. */
export const LATEST_NAME = 'latest.db';

const AUTOMATIC = /^auto-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-\d+)?\.db$/;
const PARTIAL = /\.partial(?:-(?:wal|shm|journal))?$/;
/** Earlier releases named no writer: `NAME.db.partial`. */
const WRITER = /\.(?!db\.)([0-9a-z]+)\.partial/;

/** `auto-20260115T103000Z.db`: sorting by name sorts by time. `nth` above 1 distinguishes backups of the same second. */
export function automaticName(atMs: number, nth: number): string {
  return timedName('auto', atMs, nth);
}

/** `backup-20260115T103000Z.db`, for a manual backup without a name. */
export function manualName(atMs: number, nth: number): string {
  return timedName('backup', atMs, nth);
}

/** When an automatic backup was made, ms, according to its name; undefined for any other name. */
export function automaticTime(name: string): number | undefined {
  const parts = AUTOMATIC.exec(name)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Whether the file is what an interrupted backup left. */
export function isPartial(name: string): boolean {
  return PARTIAL.test(name);
}

/** The replica id of the database whose interrupted backup this is; undefined: the name does not say. */
export function writerOf(partial: string): string | undefined {
  return WRITER.exec(partial)?.[1];
}

function timedName(word: string, atMs: number, nth: number): string {
  const time = new Date(atMs).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
  return `${word}-${time}${nth > 1 ? `-${nth}` : ''}.db`;
}
