import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import {
  type Check,
  digestOf,
  type ForkEvidence,
  isSameDot,
  type Version,
  type VersionBody,
} from '../../core/version/index.ts';
import type { Store } from '../../store/index.ts';

/** Rows read at a time. */
const PAGE_ROWS_MAX = 64;

/**
 * R9: what a remote version proves that names the same write as one that is held here and says something else. Both may be older
 * than any check that travels: a disk fell back behind what it had sent, but not yet claimed, and went on writing.
 */
export function namesakeAmong(held: readonly Version[], remote: RemoteVersion): ForkEvidence | undefined {
  const namesake = held.find((version) => isSameDot(version, remote));
  return namesake === undefined || isSameWrite(namesake, remote) ? undefined : forkOf(remote, namesake);
}

/** The same for versions that are new here, which other documents may hold the names of. */
export function namesakesElsewhere(store: Pick<Store, 'delta'>, fresh: readonly RemoteVersion[]): ForkEvidence[] {
  const forks: ForkEvidence[] = [];
  for (const versions of groupsOf(fresh)) {
    const bySeq = new Map(versions.map((version) => [version.seq, version]));
    const seqs = [...bySeq.keys()].sort((a, b) => a - b);
    const { collection, replica } = versions[0]!;
    for (const { key, version } of rowsBetween(store, collection, replica, seqs[0]!, seqs.at(-1)!)) {
      const remote = bySeq.get(version.seq);
      if (remote !== undefined && remote.key !== key) forks.push(forkOf(remote, version));
    }
  }
  return forks;
}

/** One proof is enough of each replica: whoever wrote twice under its id takes another one. */
export function oneOfEach(forks: readonly ForkEvidence[]): readonly ForkEvidence[] {
  return [...new Map(forks.map((fork) => [fork.replica, fork])).values()];
}

function isSameWrite(a: VersionBody, b: VersionBody): boolean {
  return a.hlc === b.hlc && a.value === b.value;
}

/** No check of either life is known here: the digests of the two versions stand for them, which nobody's chain holds. */
function forkOf(remote: RemoteVersion, held: Version): ForkEvidence {
  const { collection, key, replica, seq } = remote;
  return { replica, seq, checks: [checkOf(held.digest), checkOf(digestOf(collection, key, remote))] };
}

function checkOf(digest: Uint8Array): Check {
  return Buffer.from(digest).toString('hex', 0, 8) as Check;
}

function groupsOf(versions: readonly RemoteVersion[]): Iterable<readonly RemoteVersion[]> {
  return Map.groupBy(versions, ({ collection, replica }) => `${replica}${collection}`).values();
}

function* rowsBetween(
  store: Pick<Store, 'delta'>,
  collection: CollectionName,
  replica: ReplicaId,
  first: number,
  last: number,
): Generator<{ readonly key: DocumentKey; readonly version: Version }> {
  for (let after = first - 1; after < last; ) {
    const page = store.delta(collection, replica, after, Math.min(PAGE_ROWS_MAX, last - after));
    yield* page.filter(({ version }) => version.seq <= last);
    if (page.length === 0) return;
    after = page.at(-1)!.version.seq;
  }
}
