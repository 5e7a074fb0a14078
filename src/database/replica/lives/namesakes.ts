import type { RemoteVersion } from '../../../core/replication/index.ts';
import {
  type Check,
  digestOf,
  type ForkEvidence,
  isSameDot,
  type Version,
  type VersionBody,
} from '../../../core/version/index.ts';
import { allVersions, type Store } from '../../../store/index.ts';

/** Number of authors, in each collection, whose highest seq is remembered; beyond it all are forgotten and looked up again. */
const AUTHORS_MAX = 4096;

/**
 * R9: the proof of a fork if a remote version has the dot of a held version but another value or stamp. Both may be older than
 * any check that is sent: a disk went back behind what the node had sent but not claimed yet, and the node went on writing.
 */
export function namesakeAmong(held: readonly Version[], remote: RemoteVersion): ForkEvidence | undefined {
  const namesake = held.find((version) => isSameDot(version, remote));
  return namesake === undefined || isSameWrite(namesake, remote) ? undefined : forkOf(remote, namesake);
}

/**
 * The same for versions that are new here, whose dots other documents may hold. Authors count upwards, so hardly any dot must
 * be looked up: this remembers the seq beyond which no version of an author is held.
 */
export class Namesakes {
  readonly #store: Pick<Store, 'delta'>;
  /** By replica and collection: no held version has a higher seq. Missing: not known. */
  readonly #highest = new Map<string, number>();

  constructor(store: Pick<Store, 'delta'>) {
    this.#store = store;
  }

  /** Finds forks with versions in other documents, and among `fresh`, which count as held from now on even if the commit fails. */
  elsewhere(fresh: readonly RemoteVersion[]): ForkEvidence[] {
    return [...groupsOf(fresh)].flatMap(([author, versions]) => this.#ofAuthor(author, versions));
  }

  #ofAuthor(author: string, versions: readonly RemoteVersion[]): ForkEvidence[] {
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    for (const { seq } of versions) {
      first = Math.min(first, seq);
      last = Math.max(last, seq);
    }
    const { collection, replica } = versions[0]!;
    const bySeq = new Map(versions.map((version) => [version.seq, version]));
    const forks = bySeq.size === versions.length ? [] : amongThemselves(versions, bySeq);
    const highest = this.#highest.get(author) ?? Number.POSITIVE_INFINITY;
    if (highest < first) {
      this.#highest.set(author, last);
      return forks;
    }
    const range = { collection, replica, afterSeq: first - 1, upToSeq: last };
    for (const { key, version } of allVersions(this.#store, range)) {
      const remote = bySeq.get(version.seq);
      if (remote !== undefined && remote.key !== key) forks.push(forkOf(remote, version));
    }
    if (highest === Number.POSITIVE_INFINITY) this.#learn(author, versions[0]!, last);
    else this.#highest.set(author, Math.max(highest, last));
    return forks;
  }

  #learn(author: string, { collection, replica }: RemoteVersion, last: number): void {
    if (this.#store.delta(collection, replica, last, 1).length > 0) return;
    if (this.#highest.size >= AUTHORS_MAX) this.#highest.clear();
    this.#highest.set(author, last);
  }
}

/** One proof for each replica is enough: each of its lives then takes another id. */
export function oneOfEach(forks: readonly ForkEvidence[]): readonly ForkEvidence[] {
  return [...new Map(forks.map((fork) => [fork.replica, fork])).values()];
}

/** Forks among the versions of one message: several documents with the same dot. */
function amongThemselves(
  versions: readonly RemoteVersion[],
  bySeq: ReadonlyMap<number, RemoteVersion>,
): ForkEvidence[] {
  return versions.flatMap((version) => {
    const namesake = bySeq.get(version.seq)!;
    if (namesake.key === version.key) return [];
    const { collection, key } = namesake;
    return [forkOf(version, { ...namesake, digest: digestOf(collection, key, namesake) })];
  });
}

function isSameWrite(a: VersionBody, b: VersionBody): boolean {
  return a.hlc === b.hlc && a.value === b.value;
}

/** The checks of the two lives are not known here. The digests of the two versions, which are in no chain, stand in for them. */
function forkOf(remote: RemoteVersion, held: Version): ForkEvidence {
  const { collection, key, replica, seq } = remote;
  return { replica, seq, checks: [checkOf(held.digest), checkOf(digestOf(collection, key, remote))] };
}

function checkOf(digest: Uint8Array): Check {
  return Buffer.from(digest).toString('hex', 0, 8) as Check;
}

/** Groups versions by author and collection. Nearly always there is one group. */
function groupsOf(versions: readonly RemoteVersion[]): ReadonlyMap<string, readonly RemoteVersion[]> {
  const nameOf = ({ collection, replica }: RemoteVersion): string => `${replica}${collection}`;
  const first = versions[0];
  if (first === undefined) return new Map();
  const isLikeFirst = (version: RemoteVersion): boolean =>
    version.replica === first.replica && version.collection === first.collection;
  return versions.every(isLikeFirst) ? new Map([[nameOf(first), versions]]) : Map.groupBy(versions, nameOf);
}
