import { hash } from 'node:crypto';
import type { Limits } from '../../core/config/index.ts';
import { visibleVersions, writeDocument } from '../../core/document/index.ts';
import { ConcurrencyError, type EntglDbError, PersistenceError } from '../../core/errors/index.ts';
import { type CollectionName, fullKey } from '../../core/ids/index.ts';
import type { Resolver } from '../../core/merge/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import type { Draft } from './draft.ts';
import type { LocalOutcome, LocalTransaction, LocalWrite } from './outcomes.ts';

/**
 * Opaque token of the live versions of a document, for `ifVersion`; undefined if readers see no document. It is made of their
 * content, since a write that a failed sync lost leaves its dot to another one.
 */
export function versionToken(document: StoredDocument | undefined): string | undefined {
  if (document === undefined || document.value === null) return undefined;
  const digests = document.versions.map(({ digest }) => digest);
  return hash('sha256', Buffer.concat(digests), 'hex').slice(0, 24);
}

/** R1 for a whole transaction: either refused before anything is drafted, or drafted as a whole. Reads each document once. */
export function draftTransaction(
  draft: Draft,
  { writes }: LocalTransaction,
  limits: Limits,
  resolverOf: (collection: CollectionName) => Resolver,
): LocalOutcome {
  const tooMuch = sizeProblem(writes, limits);
  if (tooMuch !== undefined) return { kind: 'refused', error: tooMuch };
  draft.expect(writes);
  const befores = writes.map(({ collection, key }) => draft.read(collection, key));
  const refused = conflictOf(writes, befores) ?? contextProblem(befores, limits);
  if (refused !== undefined) return { kind: 'refused', error: refused };
  for (const i of lastOfEach(writes)) draftWrite(draft, writes[i]!, befores[i], resolverOf(writes[i]!.collection));
  return { kind: 'written', existed: befores.map((before) => before !== undefined && before.value !== null) };
}

function draftWrite(draft: Draft, write: LocalWrite, before: StoredDocument | undefined, resolver: Resolver): void {
  const { collection, key, value } = write;
  if (value === null && (before === undefined || before.value === null)) return;
  const stamp = draft.nextWrite();
  const seen = before === undefined || value === null ? [] : visibleVersions(before);
  const stamps = value === null || seen.length === 0 ? null : (resolver.stamp?.(seen, value, stamp) ?? null);
  const after = writeDocument(collection, key, before, stamp, value, stamps);
  draft.put(collection, key, before, after);
  draft.signOwn(collection, after.versions[0]!.digest);
}

function sizeProblem(writes: readonly LocalWrite[], limits: Limits): EntglDbError | undefined {
  const { transactionDocumentsMax, transactionBytesMax } = limits;
  if (writes.length > transactionDocumentsMax)
    return tooLarge('documents', transactionDocumentsMax, 'transactionDocumentsMax');
  let bytes = 0;
  for (const write of writes) bytes += write.value?.length ?? 0;
  return writes.length > 1 && bytes > transactionBytesMax
    ? tooLarge('bytes of JSON', transactionBytesMax, 'transactionBytesMax')
    : undefined;
}

function conflictOf(
  writes: readonly LocalWrite[],
  befores: readonly (StoredDocument | undefined)[],
): EntglDbError | undefined {
  for (const [i, { collection, key, ifVersion }] of writes.entries()) {
    if (ifVersion === undefined) continue;
    const current = versionToken(befores[i]);
    if (current !== (ifVersion ?? undefined)) return new ConcurrencyError(collection, key, current);
  }
  return undefined;
}

/** Refuses a document with so many lines that another version of it would not fit into one message. */
function contextProblem(
  befores: readonly (StoredDocument | undefined)[],
  { contextLinesMax }: Limits,
): EntglDbError | undefined {
  for (const before of befores) {
    if (before === undefined) continue;
    const lines = before.versions.reduce((sum, { context }) => sum + 1 + context.length, 0);
    if (lines <= contextLinesMax) continue;
    const { collection, key } = before;
    return new PersistenceError(
      'DOCUMENT_TOO_LARGE',
      `document ${JSON.stringify(key)} was written under ${lines} replica ids, of at most ${contextLinesMax}; go on under another key`,
      { details: { collection, key, lines } },
    );
  }
  return undefined;
}

/** PERSISTENCE_ERROR / TRANSACTION_TOO_LARGE. */
export function tooLarge(
  what: string,
  max: number,
  limit: 'transactionDocumentsMax' | 'transactionBytesMax',
): PersistenceError {
  return new PersistenceError(
    'TRANSACTION_TOO_LARGE',
    `a transaction has at most ${max} ${what} (Limits.${limit}); write these in parts`,
    { details: { [limit]: max } },
  );
}

/** Indexes of the last write of each document. */
function lastOfEach(writes: readonly LocalWrite[]): Iterable<number> {
  if (writes.length === 1) return [0];
  const last = new Map<string, number>();
  writes.forEach(({ collection, key }, i) => {
    last.set(fullKey(collection, key), i);
  });
  return last.values();
}
