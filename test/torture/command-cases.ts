/** The commands that the suite *commands* interrupts, and what must be true of their work afterwards. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalDatabase } from '../../src/database/database.ts';
import { BLOB_BYTES, type Contents, IMPORTED, type Populated } from './command-folder.ts';

/** What is there after a command. */
export interface View {
  readonly folder: string;
  readonly db: LocalDatabase;
  /** Numbers of the documents of `ledger`. */
  readonly found: Contents;
  readonly before: Populated;
  /** The command said that its work is done. */
  readonly isDone: boolean;
}

export interface CommandCase {
  readonly name: string;
  readonly args: readonly string[];
  /** In which state the command finds the database. Default `closed`. */
  readonly on?: 'closed' | 'killed' | 'beside a node';
  /** Names that may be in the folder afterwards although they were not before. */
  readonly makes?: RegExp;
  /** Exit code if nothing goes wrong. Default 0. */
  readonly code?: number;
  /** Exit code of the second run if the first one had done its work. Default 0. */
  readonly codeAgain?: number;
  /** The command runs until it is told to stop: SIGTERM follows its first line. */
  readonly isService?: boolean;
  /** The command writes into a folder of its own, which the images of disks do not know. */
  readonly hasFolder?: boolean;
  /** What is wrong, apart from lost documents. */
  readonly problems: (view: View) => string[] | Promise<string[]>;
  /** What `ledger` may hold; default: what it held before. */
  readonly allowed?: (view: View) => readonly Contents[];
}

/** How many documents an import writes in one transaction. */
const PER_TRANSACTION = 1000;

const nothing = (): string[] => [];

function changed({ before: { ledger } }: View, key: string, n: number | null): Contents {
  const contents = new Map(ledger);
  if (n === null) contents.delete(key);
  else contents.set(key, n);
  return contents;
}

/** Before or after, and after if the command said so. */
function eitherOf(view: View, after: Contents): Contents[] {
  return view.isDone ? [after] : [view.before.ledger, after];
}

/** Whole transactions in order. */
function importedPrefixes(view: View): Contents[] {
  const contents = new Map(view.before.ledger);
  const prefixes = [new Map(contents)];
  for (let n = 0; n < IMPORTED; n++) {
    contents.set(`i${n}`, n);
    if ((n + 1) % PER_TRANSACTION === 0 || n + 1 === IMPORTED) prefixes.push(new Map(contents));
  }
  return view.isDone ? prefixes.slice(-1) : prefixes;
}

/** The file is the old one or the new one, and the new one if the command said so. */
function fileProblems({ folder, isDone }: View, name: string, before: Buffer | null, after: Buffer): string[] {
  const path = join(folder, name);
  if (!existsSync(path)) return before === null && !isDone ? [] : [`${name} is missing`];
  const content = readFileSync(path);
  if (content.equals(after) || (!isDone && before !== null && content.equals(before))) return [];
  return [`${name} holds neither what it held nor what it should hold`];
}

const exported = (view: View): Buffer => Buffer.from(view.before.exported);

async function indexProblems({ db, isDone }: View, isWanted: boolean): Promise<string[]> {
  const has = (await db.collection('ledger').indexes()).some(({ name }) => name === 'by-pad');
  return isDone && has !== isWanted ? [`the index is ${has ? 'still there' : 'missing'}`] : [];
}

function configProblems({ folder, before, isDone }: View, name: string): string[] {
  const path = join(folder, name);
  if (!existsSync(path)) return isDone || before.files.has(name) ? [`${name} is missing`] : [];
  const text = readFileSync(path, 'utf8');
  if (text === before.files.get(name)?.toString()) return isDone ? [`${name} is the old one`] : [];
  try {
    return JSON.parse(text).EntglDb.Network.AuthToken.length === 32 ? [] : [`${name} has no token`];
  } catch {
    return [`${name} is half written`];
  }
}

/** Each file is whole, and there are all of them, and nothing else, if the command said so. */
function salvageProblems({ folder, before, isDone }: View): string[] {
  const rescued = join(folder, 'rescued');
  const names = existsSync(rescued) ? readdirSync(rescued) : [];
  const whole = names.filter((name) => name.endsWith('.ndjson'));
  const lines = new Map(whole.map((name) => [name, readFileSync(join(rescued, name), 'utf8').split('\n').length - 1]));
  const wanted = { 'ledger.ndjson': before.ledger.size, 'big.ndjson': before.bigCount };
  const wrong = Object.entries(wanted).filter(([name, count]) => (lines.get(name) ?? (isDone ? 0 : count)) !== count);
  const others = isDone ? names.filter((name) => !whole.includes(name)) : [];
  return [
    ...wrong.map(([name]) => `${name} has ${lines.get(name)} lines`),
    ...others.map((name) => `left behind: ${name}`),
  ];
}

/** The database is the one before or the restored one; what was replaced is kept, and holds all that it held. */
const restores = {
  makes: /^entgldb\.db\.replaced-\d+/,
  allowed: (view: View) => eitherOf(view, view.before.saved),
  problems: ({ folder, found, before }: View) => {
    const isRestored = found.size === before.saved.size && before.saved.size !== before.ledger.size;
    return isRestored ? before.replacedProblems(folder) : [];
  },
} as const;

export const COMMAND_CASES: readonly CommandCase[] = [
  {
    name: 'put',
    args: ['put', 'ledger', 'k1', '{"n":1001}'],
    allowed: (view) => eitherOf(view, changed(view, 'k1', 1001)),
    problems: nothing,
  },
  {
    name: 'delete',
    args: ['delete', 'ledger', 'k2'],
    codeAgain: 1,
    allowed: (view) => eitherOf(view, changed(view, 'k2', null)),
    problems: nothing,
  },
  { name: 'import', args: ['import', 'ledger', 'in.ndjson'], allowed: importedPrefixes, problems: nothing },
  {
    name: 'import --resume',
    args: ['import', 'ledger', 'in.ndjson', '--resume'],
    makes: /^in\.ndjson\.import$/,
    allowed: importedPrefixes,
    problems: nothing,
  },
  {
    name: 'import --resume, node',
    on: 'beside a node',
    args: ['import', 'ledger', 'in.ndjson', '--resume'],
    makes: /^in\.ndjson\.import$/,
    allowed: importedPrefixes,
    problems: nothing,
  },
  {
    name: 'export over a file',
    args: ['export', 'big', 'out.ndjson'],
    problems: (view) => fileProblems(view, 'out.ndjson', view.before.files.get('out.ndjson')!, exported(view)),
  },
  {
    name: 'export --resume',
    args: ['export', 'big', 'new.ndjson', '--resume'],
    makes: /^new\.ndjson(\.part(\.mark)?)?$/,
    problems: (view) => fileProblems(view, 'new.ndjson', null, exported(view)),
  },
  {
    name: 'export, node',
    on: 'beside a node',
    args: ['export', 'big', 'out.ndjson'],
    problems: (view) => fileProblems(view, 'out.ndjson', view.before.files.get('out.ndjson')!, exported(view)),
  },
  {
    name: 'blob put',
    args: ['blob', 'put', 'picture.bin'],
    problems: async ({ db, before, isDone }) => {
      const known: string[] = [];
      for await (const { $blob } of db.blobs.list()) known.push($blob);
      return isDone && !known.includes(before.pictureId) ? ['the blob is not there'] : [];
    },
  },
  {
    name: 'blob get',
    args: ['blob', 'get', 'BLOB', 'blob.bin'],
    makes: /^blob\.bin$/,
    problems: (view) => fileProblems(view, 'blob.bin', null, BLOB_BYTES),
  },
  {
    name: 'blob get, node',
    on: 'beside a node',
    args: ['blob', 'get', 'BLOB', 'blob.bin'],
    makes: /^blob\.bin$/,
    problems: (view) => fileProblems(view, 'blob.bin', null, BLOB_BYTES),
  },
  { name: 'blob collect', args: ['blob', 'collect'], problems: nothing },
  {
    name: 'backup',
    args: ['backup', 'copy.db'],
    makes: /^(copy|latest)\.db$/,
    codeAgain: 1,
    problems: async ({ folder, before, isDone }) => {
      if (!existsSync(join(folder, 'copy.db'))) return isDone ? ['the backup is missing'] : [];
      return before.backupProblems(join(folder, 'copy.db'), before.ledger);
    },
  },
  { name: 'restore', args: ['restore', 'saved.db'], ...restores },
  { name: 'restore over a killed database', on: 'killed', args: ['restore', 'saved.db'], ...restores },
  {
    name: 'restore with logs',
    args: ['restore', 'dead.db'],
    ...restores,
    allowed: (view) => eitherOf(view, view.before.ledger),
    problems: nothing,
  },
  {
    name: 'salvage',
    args: ['salvage', 'rescued'],
    hasFolder: true,
    makes: /^rescued$/,
    problems: salvageProblems,
  },
  { name: 'compact', args: ['compact'], problems: nothing },
  { name: 'check', args: ['check'], problems: nothing },
  { name: 'count', args: ['count', 'ledger'], problems: nothing },
  { name: 'count in a killed database', on: 'killed', args: ['count', 'ledger'], problems: nothing },
  // It finds that the token of these folders is not random.
  { name: 'doctor', args: ['doctor'], code: 1, problems: nothing },
  {
    name: 'index add',
    args: ['index', 'add', 'ledger', 'pad', '--name', 'by-pad'],
    problems: (view) => indexProblems(view, true),
  },
  {
    name: 'index remove',
    args: ['index', 'remove', 'ledger', 'by-n'],
    codeAgain: 1,
    problems: async ({ db, isDone }) =>
      isDone && (await db.collection('ledger').indexes()).length > 0 ? ['the index is still there'] : [],
  },
  {
    name: 'conflicts --restore',
    args: ['conflicts', '--restore', '1'],
    problems: async ({ db, before, isDone }) => {
      const { n } = (await db.collection('met').get('k')) as { n: number };
      const allowed = isDone ? [before.lost] : [before.lost, before.won];
      return allowed.includes(n) ? [] : [`what had lost is ${before.lost}, and now it is ${n}`];
    },
  },
  {
    name: 'init',
    args: ['init', '--config', 'new.json'],
    makes: /^new\.json$/,
    codeAgain: 2,
    problems: (view) => configProblems(view, 'new.json'),
  },
  { name: 'init --force', args: ['init', '--force'], problems: (view) => configProblems(view, 'appsettings.json') },
  {
    name: 'start',
    args: ['start', '--no-discovery', '--tcp-port', '0', '--http-port', '0'],
    isService: true,
    makes: /^latest\.db$/,
    problems: nothing,
  },
];
