import type { Address } from '../../net/index.ts';

/** Numbers, times and tables as people read them. */

/** "1,234,567". */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** "1 document", "3 documents". */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** "999 B", "1.5 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

const TIME_UNITS: readonly [seconds: number, noun: string][] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** In the largest unit that fits: "3 minutes". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [size, noun] = TIME_UNITS.find(([each]) => seconds >= each) ?? [1, 'second'];
  return plural(Math.floor(seconds / size), noun);
}

/** "3 minutes ago", "just now"; "never" for null. */
export function formatAgo(atMs: number | null, nowMs: number): string {
  if (atMs === null) return 'never';
  return nowMs - atMs < 1000 ? 'just now' : `${formatDuration(nowMs - atMs)} ago`;
}

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * The text with control characters written as `\\u001d`. A terminal would obey them, and keys hold some: scanners send them within
 * barcodes.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Columns under their titles, two blanks apart, without trailing blanks and control characters. */
export function formatTable(titles: readonly string[], given: readonly (readonly string[])[]): string {
  const rows = given.map((cells) => cells.map(printable));
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [titles, ...rows].map(line).join('\n');
}

/** Lines of names and values, with the values aligned. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}

/** Most characters of a document in a table; `--json` prints it whole. */
const SHOWN_MAX = 40;

/** A document in a cell of a table. */
export function shortText(value: object | null): string {
  if (value === null) return '(deleted)';
  const text = JSON.stringify(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX - 1)}…`;
}
