import type { DatabaseSync } from 'node:sqlite';
import { isEntglDbError } from '../../../core/errors/index.ts';
import type { CollectionName, DocumentKey } from '../../../core/ids/index.ts';
import { isSameFingerprint } from '../../../core/version/index.ts';
import { markOf } from '../../meta-names.ts';
import type { CollectionRow, Damage } from '../../store.ts';
import { isPassing } from '../sqlite-errors.ts';
import type { HeldIndex } from '../tables/index.ts';
import { Tables } from '../tables.ts';
import type { JobContext } from './jobs.ts';

/** Keys read in one step. Between two steps the log can be shortened. */
const KEYS_PER_STEP = 500;
const WHOLE = [{ after: null, upTo: null }];

/**
 * Checks everything: SQLite's own structures and indexes, the sum or digest of every row, each collection's count and
 * fingerprint, and this library's indexes. Writing may go on: each step sees one moment, and no snapshot is held for longer.
 * Throws if something other than damage keeps it from reading.
 */
export function checkDatabase(db: DatabaseSync, context: JobContext): void {
  const file = (problem: string): void => context.onDamage({ kind: 'file', problem });
  for (const problem of structureProblems(db, context)) file(problem);
  if (context.isStopped()) return;
  const tables = new Tables(db, { chainLengthMax: 0, goneLogMax: 0 });
  for (const check of tables.smallTableChecks()) readOr(() => tables.reading(check), undefined, file);
  for (const entry of readOr(() => tables.reading(() => tables.entries.damaged()), [], file))
    context.onDamage({ kind: 'entry', ...entry });
  for (const name of readOr(() => tables.reading(() => tables.documents.collections()), [], file)) {
    checkDocuments(tables, name, context);
    checkCollection(tables, name, context);
    checkIndexes(tables, name, context);
    if (context.isStopped()) return;
  }
  for (const lost of readOr(() => tables.reading(() => lostCollections(tables)), [], file)) context.onDamage(lost);
}

function lostCollections(tables: Tables): Damage[] {
  const { collections } = tables.state.read();
  const isLost = ({ name, documents }: CollectionRow): boolean =>
    documents > 0 && tables.documents.nthKey(name, null, 1) === undefined;
  return collections.filter(isLost).map(({ name, documents }) => lostDocuments(name, documents));
}

function* structureProblems(db: DatabaseSync, context: JobContext): Iterable<string> {
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    for (const { name } of tables) {
      if (context.isStopped()) return;
      const rows = db.prepare(`PRAGMA integrity_check("${name as string}")`).all();
      for (const row of rows)
        if (row.integrity_check !== 'ok') yield* String(row.integrity_check).split('\n').filter(isProblem);
    }
  } catch (error) {
    yield problemOf(error);
  }
}

/** SQLite begins its list with a line that names the database. */
function isProblem(line: string): boolean {
  return line !== '' && !line.startsWith('*** in database');
}

function checkDocuments(tables: Tables, name: CollectionName, context: JobContext): void {
  for (let after: DocumentKey | null | undefined = null; after !== undefined && !context.isStopped(); ) {
    const from: DocumentKey | null = after;
    after = tables.reading(() => checkPage(tables, name, from, context));
  }
}

/** Returns the key after which the next page begins; undefined: this was the last one. */
function checkPage(
  tables: Tables,
  name: CollectionName,
  after: DocumentKey | null,
  context: JobContext,
): DocumentKey | undefined {
  let keys: DocumentKey[];
  try {
    keys = tables.documents.keys(name, after, KEYS_PER_STEP);
  } catch (error) {
    context.onDamage({ kind: 'collection', collection: name, problem: problemOf(error) });
    return undefined;
  }
  for (const key of keys) checkDocument(tables, name, key, context);
  return keys.length < KEYS_PER_STEP ? undefined : keys.at(-1);
}

function checkDocument(tables: Tables, collection: CollectionName, key: DocumentKey, context: JobContext): void {
  try {
    tables.documents.get(collection, key);
  } catch (error) {
    context.onDamage({ kind: 'document', collection, key, problem: problemOf(error) });
  }
}

/** Compares count and fingerprint with the documents, as of one moment. */
function checkCollection(tables: Tables, name: CollectionName, context: JobContext): void {
  const report = (problem: string): void => context.onDamage({ kind: 'collection', collection: name, problem });
  try {
    tables.reading(() => {
      const row = tables.state.collection(name);
      if (row !== undefined) for (const problem of collectionProblems(tables, row)) report(problem);
    });
  } catch (error) {
    report(problemOf(error));
  }
}

function* collectionProblems(tables: Tables, row: CollectionRow): Iterable<string> {
  // While a damaged collection is being recounted, its sums do not fit its documents.
  if (tables.meta.hasEngine(markOf('counting', row.name))) return;
  const [held] = tables.documents.fingerprints(row.name, WHOLE);
  if (!isSameFingerprint(held!, row.fingerprint)) {
    yield `the fingerprint counts ${row.fingerprint.count} versions, the documents hold ${held!.count} or others`;
  }
  const visible = tables.documents.visible(row.name);
  if (visible !== row.documents) yield `${row.documents} documents are counted, ${visible} are there`;
}

/** Checks that each index holds each document as it is now, and nothing else. */
function checkIndexes(tables: Tables, name: CollectionName, context: JobContext): void {
  const readyNow = (): readonly HeldIndex[] => tables.indexWork.readyOf(name);
  for (const { id, definition } of readOr(
    () => tables.reading(readyNow),
    [],
    () => {},
  )) {
    const report = (problem: string): void => {
      const text = `the index ${JSON.stringify(definition.name)} ${problem}`;
      context.onDamage({ kind: 'index', collection: name, indexId: id, problem: text });
    };
    try {
      const index = (): HeldIndex | undefined => readyNow().find((each) => each.id === id);
      const problem = tables.reading(() => indexProblem(tables, index()));
      if (problem !== undefined) report(problem);
    } catch (error) {
      // A document that cannot be read has already been reported.
      if (!isEntglDbError(error, 'DOCUMENT_CORRUPT')) report(problemOf(error));
    }
    if (context.isStopped()) return;
  }
}

/** Undefined also for an index that was dropped meanwhile, or is being rebuilt. */
function indexProblem(tables: Tables, index: HeldIndex | undefined): string | undefined {
  if (index === undefined) return undefined;
  const { missing, others } = tables.indexWork.compare(index);
  if (missing > 0) return `does not hold ${missing} documents as they are`;
  return others > 0 ? `holds ${others} entries that no document has` : undefined;
}

function lostDocuments(collection: CollectionName, documents: number): Damage {
  return { kind: 'collection', collection, problem: `${documents} documents are counted, none are there` };
}

function readOr<T>(read: () => T, otherwise: T, onProblem: (problem: string) => void): T {
  try {
    return read();
  } catch (error) {
    onProblem(problemOf(error));
    return otherwise;
  }
}

/** The text of an error that means damage. Rethrows errors that do not (`isPassing`). */
function problemOf(error: unknown): string {
  if (isPassing(error)) throw error;
  if (!(error instanceof Error)) return String(error);
  const cause = isEntglDbError(error) && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return error.message + cause;
}
