/** Always a copy of the newest backup: what the guide copies over a damaged database. */
export const LATEST_NAME = 'latest.db';

const AUTOMATIC = /^auto-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-\d+)?\.db$/;
const PARTIAL = /\.partial(?:-(?:wal|shm|journal))?$/;

/** `auto-20260115T103000Z.db`; sorted by name they are sorted by time. `nth` above 1 tells those of one second apart. */
export function automaticName(atMs: number, nth: number): string {
  return timedName('auto', atMs, nth);
}

/** `backup-20260115T103000Z.db`, for a backup made by hand without a name. */
export function manualName(atMs: number, nth: number): string {
  return timedName('backup', atMs, nth);
}

/** When an automatic backup was made, ms; undefined for every other name. */
export function automaticTime(name: string): number | undefined {
  const parts = AUTOMATIC.exec(name)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** A backup that was cut off while it was written. */
export function isPartial(name: string): boolean {
  return PARTIAL.test(name);
}

function timedName(word: string, atMs: number, nth: number): string {
  const time = new Date(atMs).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
  return `${word}-${time}${nth > 1 ? `-${nth}` : ''}.db`;
}
