import type { CollectionName, ReplicaId } from '../core/ids/index.ts';
import type {
  ForkProof,
  PlacedDot,
  Reached,
  RemoteClaim,
  RemoteOutcome,
  RemoteVersion,
} from '../core/replication/index.ts';
import type { Check, Fingerprint, ForkEvidence, Knowledge, Known, PurgeLine } from '../core/version/index.ts';
import type { Store } from '../store/index.ts';

/** What a session sees of a collection. Vectors are never changed in place: holding one is a snapshot. */
export interface SyncCollection {
  readonly name: CollectionName;
  readonly state: 'wanted' | 'frozen';
  readonly fingerprint: Fingerprint;
  /** Rises with every change of the vectors. */
  readonly revision: number;
  readonly knowledge: Knowledge;
  readonly purged: PurgeLine;
}

/** The engine as a session sees it: synchronous reads, and one way to change it. */
export interface SyncReplica {
  readonly id: ReplicaId;
  /** The present id first, then those of former lives. */
  ownIds(): Iterable<ReplicaId>;
  /** R9: what tells twins of its former lives that they are twins. */
  ownForks(): Iterable<ForkEvidence>;
  readonly pos: number;
  /** Commits of this process so far; those of knowledge alone count, though they have no position. */
  readonly commits: number;
  readonly store: Pick<Store, 'get' | 'delta' | 'liveReplicas' | 'changes' | 'fingerprints' | 'inRange' | 'nthKey'>;
  /** Of all that have a state, history or not. */
  readonly collectionCount: number;
  collections(): Iterable<SyncCollection>;
  collection(name: CollectionName): SyncCollection;
  applyRemote(
    versions: readonly RemoteVersion[],
    claims: readonly RemoteClaim[],
    source: object,
    reached?: Reached,
  ): RemoteOutcome;
  /** R5: whether so many versions that are gone take more than one slice, and one slice off their end ahead of the claim. */
  isMoreThanSlice(gone: number): boolean;
  dropGone(claim: RemoteClaim, gone: readonly PlacedDot[], source: object): { taken: number; waiting: PlacedDot[] };
  /** R4: where earlier streams of this sender were cut, in this life of its process. */
  resumePoints(sender: ReplicaId, life: string, collection: CollectionName): ReadonlyMap<ReplicaId, number>;
  /** R9: undefined when what a peer knows of my replica is a point of my own history. */
  meetKnowledge(known: Known | undefined): ForkProof | undefined;
  /** Calls back when commits that were not durable are gone: whatever a session believes of them is wrong. */
  onReload(listener: () => void): () => void;
  isOwnHistory(seq: number, check: Check): boolean;
}
