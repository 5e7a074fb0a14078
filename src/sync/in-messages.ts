import type { Limits } from '../core/config/index.ts';
import type { ClaimedCollection } from '../net/messages/index.ts';

type Room = Pick<Limits, 'messageEntriesMax'>;

/** Splits a list of entries about collections into as many messages as it needs; an empty list takes one. */
export function* inMessages<T>(said: readonly T[], { messageEntriesMax }: Room): Iterable<T[]> {
  // The message itself is an entry, too.
  const max = messageEntriesMax - 1;
  for (let from = 0; from === 0 || from < said.length; from += max) yield said.slice(from, from + max);
}

/** Splits claims into as many messages as they need. */
export function* claimsInMessages(
  claims: readonly ClaimedCollection[],
  { messageEntriesMax }: Room,
): Iterable<ClaimedCollection[]> {
  let [collections, entries] = [[] as ClaimedCollection[], 1];
  for (const claim of claims) {
    const more = 1 + claim.knowledge.size + claim.purged.size;
    if (collections.length > 0 && entries + more > messageEntriesMax) {
      yield collections;
      [collections, entries] = [[], 1];
    }
    collections.push(claim);
    entries += more;
  }
  if (collections.length > 0) yield collections;
}
