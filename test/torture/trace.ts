/** Reads what strace recorded of a life: the calls that change the disk and the lines that it printed, in one order. */
import type { Line } from './ledger.ts';

export type TraceEvent =
  | { readonly kind: 'line'; readonly line: Line }
  /** Created if it did not exist. */
  | { readonly kind: 'create'; readonly path: string; readonly isEmptied: boolean }
  | { readonly kind: 'write'; readonly path: string; readonly at: number; readonly data: Buffer }
  | { readonly kind: 'append'; readonly path: string; readonly data: Buffer }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'copy'; readonly from: string; readonly path: string }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }
  /** When a sync ends, what was written before it began is durable. */
  | { readonly kind: 'sync begin'; readonly path: string; readonly thread: string }
  | { readonly kind: 'sync end'; readonly path: string; readonly thread: string };

/** Options of strace that make its log say everything needed here. */
export const TRACE_ARGS = [
  '-f',
  '-qq',
  '-y',
  '-xx',
  '-s',
  '2000000',
  '-e',
  'trace=pwrite64,write,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,copy_file_range,sendfile,openat,creat',
];

/** Calls that these lives do not make; a trace with one of them would be incomplete. */
const UNKNOWN = new Set(['writev', 'pwritev', 'fallocate', 'sendfile', 'renameat', 'renameat2', 'linkat', 'creat']);

export interface ParsedTrace {
  readonly events: readonly TraceEvent[];
  /** Calls on the folder that are not understood here. */
  readonly unknown: readonly string[];
}

/** Parses a log: only what happens in `folder`, and the lines of standard output. */
export function parseTrace(log: string, folder: string): ParsedTrace {
  const events: TraceEvent[] = [];
  const unknown: string[] = [];
  const begun = new Map<string, string>();
  let printed = '';
  for (const raw of log.split('\n')) {
    const [, thread = '', rest = ''] = raw.match(/^(\d+) +(.*)$/) ?? [];
    let text = rest;
    const isBegin = text.endsWith('<unfinished ...>');
    if (isBegin) {
      text = text.slice(0, -'<unfinished ...>'.length);
      begun.set(thread, text);
    }
    const resumed = text.match(/^<\.\.\. (\w+) resumed>(.*)$/);
    if (resumed !== null) text = (begun.get(thread) ?? '') + resumed[2]!;
    const [, call = '', args = '', result = ''] = text.match(/^(\w+)\((.*?)(?:\) += (-?\d+|\?).*)?$/) ?? [];
    if (call === '') continue;
    const isSync = call === 'fsync' || call === 'fdatasync';
    if (isSync) {
      const path = descriptorPath(args);
      if (!isBelow(path, folder)) continue;
      if (isBegin || resumed === null) events.push({ kind: 'sync begin', path, thread });
      if (!isBegin && result === '0') events.push({ kind: 'sync end', path, thread });
      continue;
    }
    if (isBegin || result === '' || result === '?' || result.startsWith('-')) continue;
    if (call === 'write' && args.startsWith('1<')) {
      printed += stringsOf(args)[0]!.toString('utf8');
      const lines = printed.split('\n');
      printed = lines.pop()!;
      for (const line of lines) events.push({ kind: 'line', line: JSON.parse(line) as Line });
      continue;
    }
    const event = eventOf(call, args, folder);
    if (event !== undefined) events.push(event);
    else if (UNKNOWN.has(call) && decode(args).includes(folder)) unknown.push(call);
  }
  return { events, unknown };
}

function eventOf(call: string, args: string, folder: string): TraceEvent | undefined {
  if (call === 'openat') {
    if (!args.includes('O_CREAT') && !args.includes('O_TRUNC')) return undefined;
    const path = stringsOf(args)[0]!.toString('utf8');
    return isBelow(path, folder) ? { kind: 'create', path, isEmptied: args.includes('O_TRUNC') } : undefined;
  }
  if (call === 'rename' || call === 'link') {
    const [from = '', to = ''] = stringsOf(args).map((path) => path.toString('utf8'));
    return isBelow(to, folder) || isBelow(from, folder) ? { kind: call, from, to } : undefined;
  }
  if (call === 'unlink' || call === 'unlinkat') {
    const path = stringsOf(args)[0]!.toString('utf8');
    return isBelow(path, folder) ? { kind: 'unlink', path } : undefined;
  }
  const path = descriptorPath(args);
  if (call === 'copy_file_range') {
    const to = descriptorPath(args.slice(args.indexOf('>') + 1).replace(/^[^<]*/, '0'));
    return isBelow(to, folder) ? { kind: 'copy', from: path, path: to } : undefined;
  }
  if (!isBelow(path, folder)) return undefined;
  if (call === 'pwrite64') return { kind: 'write', path, at: lastNumber(args), data: stringsOf(args)[0]! };
  if (call === 'write') return { kind: 'append', path, data: stringsOf(args)[0]! };
  if (call === 'ftruncate') return { kind: 'truncate', path, size: lastNumber(args) };
  return undefined;
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The file behind the first descriptor, as `-y` shows it. */
function descriptorPath(args: string): string {
  return decode(args.match(/^[^<]*<([^>]*)>/)?.[1] ?? '').replace(/ \(deleted\)$/, '');
}

function stringsOf(args: string): Buffer[] {
  return [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) =>
    Buffer.from(hex!.replaceAll('\\x', ''), 'hex'),
  );
}

function decode(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function lastNumber(args: string): number {
  return Number(args.trimEnd().match(/(\d+)$/)?.[1]);
}
