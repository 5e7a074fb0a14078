import { LIMITS } from '../../core/config/index.ts';
import type { CollectionName, DocumentKey } from '../../core/ids/index.ts';
import { type Fingerprint, FingerprintSum, isSameFingerprint } from '../../core/version/index.ts';
import type { CollectionState, Replica } from '../../database/replica/index.ts';
import { type Damage, damagedDocument, type StoredDocument } from '../../store/index.ts';

export interface CollectionCount {
  /** The state of the collection, the same before and after the count. */
  readonly state: CollectionState;
  /** Over every version with a value of the documents that readers see, siblings included; null if something is damaged. */
  readonly visible: Fingerprint | null;
  /** Every damaged row, so that all are repaired together; the collection itself if its rows do not match; empty if it is sound. */
  readonly damage: readonly Damage[];
}

const PAGE_MAX = 200;

/**
 * Reads all rows of a collection with their digests, and compares them with the sums of the replica. Tombstones are not in
 * `visible`: nodes that know the same may purge one at different times (R7). A node that purged it before a concurrent write arrived
 * holds only that write; a node that received the write first keeps both. Everything else they must hold alike (I1). Other work has
 * its turn after each page. Undefined if the collection changed meanwhile, or is being counted after damage.
 */
export async function sumCollection(
  replica: Replica,
  name: CollectionName,
  soon: (run: () => void) => void,
  signal?: AbortSignal,
): Promise<CollectionCount | undefined> {
  if (replica.damaged.isUncounted(name)) return undefined;
  const state = replica.collection(name);
  const all = new FingerprintSum();
  const visible = new FingerprintSum();
  const damaged = new Map<DocumentKey, Damage>();
  for (let after: DocumentKey | null = null; damaged.size < LIMITS.damageListMax; ) {
    signal?.throwIfAborted();
    const page = readPage(replica, name, after, damaged);
    for (const { versions, value } of page ?? [])
      for (const version of versions) {
        all.add(version.digest);
        if (value !== null && version.value !== null) visible.add(version.digest);
      }
    if (page !== undefined && page.length < PAGE_MAX) break;
    after = page?.at(-1)?.key ?? after;
    await new Promise<void>((resolve) => soon(resolve));
    if (replica.collection(name) !== state) return undefined;
  }
  if (damaged.size > 0) return { state, visible: null, damage: [...damaged.values()] };
  if (isSameFingerprint(all.value(), state.fingerprint)) return { state, visible: visible.value(), damage: [] };
  const problem = 'its rows are not those that were written';
  return { state, visible: null, damage: [{ kind: 'collection', collection: name, problem }] };
}

/** The next documents that are not known to be damaged; undefined if one more was found damaged. */
function readPage(
  replica: Replica,
  name: CollectionName,
  after: DocumentKey | null,
  damaged: Map<DocumentKey, Damage>,
): StoredDocument[] | undefined {
  try {
    return replica.store.documents(name, after, PAGE_MAX, new Set(damaged.keys()));
  } catch (error) {
    const key = damagedDocument(error)?.key;
    if (key === undefined || damaged.has(key)) throw error;
    damaged.set(key, { kind: 'document', collection: name, key, problem: (error as Error).message });
    return undefined;
  }
}
