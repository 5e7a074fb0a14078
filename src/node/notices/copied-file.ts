import type { LocalDatabase } from '../../database/index.ts';
import { META, type StoreIdentity } from '../../store/index.ts';
import { keepText, keptText } from './kept-text.ts';

/**
 * R9: why this file counts as a copy of one that may live on elsewhere; undefined if it does not. The answer is kept in the file
 * until a node has been on the network with it, because a command that happened to open the copy first must not be the only one
 * to know.
 */
export function whyCopied(database: LocalDatabase, { fresh, reason }: StoreIdentity): string | undefined {
  const isFoundNow = fresh && reason !== 'new' && reason !== 'cut-back';
  if (!isFoundNow) return keptText(database, META.whyCopied);
  keepText(database, META.whyCopied, reason);
  return reason;
}

/** Call when the node has its own device key and its user was told. */
export function forgetCopied(database: LocalDatabase): void {
  keepText(database, META.whyCopied, null);
}

export function copiedText(reason: string): string {
  const what =
    reason === 'sealed'
      ? 'this database was restored from a backup'
      : 'this database is a copy, or was moved or restored by hand';
  return `${what}: it took a new identity, and what its earlier life had written beyond it comes back from peers`;
}
