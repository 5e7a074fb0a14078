import { compareVersions, joinLines, type Known, sealVersion, type Version } from '../../../core/version/index.ts';
import { allVersions, type Store, type StoredVersion } from '../../../store/index.ts';
import type { CollectionState } from '../collection-state.ts';
import type { Draft } from '../draft.ts';
import type { NewLife } from '../outcomes.ts';

export interface NewLifeContext {
  readonly draft: Draft;
  readonly store: Store;
  readonly collections: readonly CollectionState[];
  /** Versions read at a time. */
  readonly pageSize: number;
}

/**
 * R9: makes `after` the id of all later writes. After a fork, every live version of the old id beyond the confirmed point is
 * written again under the new id, with the same value and stamp, and replaces the old one. So the writes that two twins made
 * under the same dots become distinct. `confirmed` is null if there was no fork. Returns how many were written again.
 */
export function draftNewLife(
  { draft, store, collections, pageSize }: NewLifeContext,
  { before, after }: Pick<NewLife, 'before' | 'after'>,
  confirmed: Known | null,
): number {
  draft.beginLife(after);
  if (confirmed === null) return 0;
  let rewritten = 0;
  for (const { name, knowledge } of collections) {
    const beyond = { collection: name, replica: before, afterSeq: confirmed.seq, pageMax: pageSize };
    for (const stored of allVersions(store, beyond)) {
      rewrite(draft, stored);
      rewritten++;
    }
    if ((knowledge.get(before)?.seq ?? 0) > confirmed.seq) draft.lowerKnowledge(name, before, confirmed);
  }
  return rewritten;
}

function rewrite(draft: Draft, { collection, key, version }: StoredVersion): void {
  const document = draft.read(collection, key);
  if (document === undefined) return;
  const { replica, seq } = draft.nextWrite();
  const context = joinLines([
    ...version.context,
    { replica: version.replica, first: version.first, last: version.seq },
  ]);
  const again = sealVersion(collection, key, { ...version, replica, seq, first: seq, context });
  const isOld = (v: Version): boolean => v.replica === version.replica && v.seq === version.seq;
  const versions = document.versions.map((v) => (isOld(v) ? again : v)).sort(compareVersions);
  draft.put(collection, key, document, { versions, lineFirst: 0, lineReplica: null });
  draft.signOwn(collection, again.digest);
}
