import { hash } from 'node:crypto';
import type { Limits } from '../../core/config/index.ts';
import { visibleVersions, writeDocument } from '../../core/document/index.ts';
import { ConcurrencyError, type EntglDbError, PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Resolver } from '../../core/merge/index.ts';
import { dotText } from '../../core/version/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import type { Draft } from './draft.ts';
import type { LocalOutcome, LocalTransaction, LocalWrite } from './outcomes.ts';

/** Opaque token of a document's set of live versions, for `ifVersion`; undefined where readers see no document. */
export function versionToken(document: StoredDocument | undefined): string | undefined {
  if (document === undefined || document.value === null) return undefined;
  return hash('sha256', document.versions.map(dotText).join(), 'hex').slice(0, 24);
}

/** R1 for a whole transaction: refused before anything is drafted, or drafted whole. */
export function draftTransaction(
  draft: Draft,
  transaction: LocalTransaction,
  limits: Limits,
  resolverOf: (collection: CollectionName) => Resolver,
): LocalOutcome {
  const error = transactionProblem(draft, transaction, limits);
  if (error !== undefined) return { kind: 'refused', error };
  const existed = transaction.writes.map((write) => {
    const before = draft.read(write.collection, write.key);
    return before !== undefined && before.value !== null;
  });
  for (const write of lastOfEach(transaction.writes)) draftWrite(draft, write, resolverOf(write.collection));
  return { kind: 'written', existed };
}

function draftWrite(draft: Draft, write: LocalWrite, resolver: Resolver): void {
  const { collection, key, value } = write;
  const before = draft.read(collection, key);
  if (value === null && (before === undefined || before.value === null)) return;
  const stamp = draft.nextWrite();
  const seen = before === undefined || value === null ? [] : visibleVersions(before);
  const stamps = value === null || seen.length === 0 ? null : (resolver.stamp?.(seen, value, stamp) ?? null);
  const after = writeDocument(collection, key, before, stamp, value, stamps);
  draft.put(collection, key, before, after);
  draft.signOwn(collection, after.versions[0]!.digest);
}

function transactionProblem(draft: Draft, { writes }: LocalTransaction, limits: Limits): EntglDbError | undefined {
  if (writes.length > limits.transactionDocumentsMax)
    return tooLarge(`${writes.length} documents`, `${limits.transactionDocumentsMax}`);
  let bytes = 0;
  for (const write of writes) bytes += write.value?.length ?? 0;
  if (writes.length > 1 && bytes > limits.transactionBytesMax)
    return tooLarge(`${bytes} characters of JSON`, `${limits.transactionBytesMax}`);
  for (const write of writes) {
    if (write.ifVersion === undefined) continue;
    const current = versionToken(draft.read(write.collection, write.key));
    if (current !== (write.ifVersion ?? undefined)) return new ConcurrencyError(write.collection, write.key, current);
  }
  return undefined;
}

function tooLarge(size: string, allowed: string): EntglDbError {
  return new PersistenceError(
    'TRANSACTION_TOO_LARGE',
    `the transaction has ${size}; at most ${allowed} are allowed, write it in parts`,
  );
}

function lastOfEach(writes: readonly LocalWrite[]): Iterable<LocalWrite> {
  if (writes.length === 1) return writes;
  const last = new Map<string, LocalWrite>();
  for (const write of writes) last.set(`${write.collection}\u0000${write.key}`, write);
  return last.values();
}
