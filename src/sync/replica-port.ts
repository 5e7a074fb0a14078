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

/** A collection as a session sees it. Vectors are never changed in place, so holding one is a snapshot. */
export interface SyncCollection {
  readonly name: CollectionName;
  readonly state: 'wanted' | 'frozen';
  readonly fingerprint: Fingerprint;
  /** Increases with every change of the vectors. */
  readonly revision: number;
  readonly knowledge: Knowledge;
  readonly purged: PurgeLine;
}

/** The engine as a session sees it: synchronous reads, and changes that come from peers. */
export interface SyncReplica {
  readonly id: ReplicaId;
  /** The present replica id first, then those of former lives. */
  ownIds(): Iterable<ReplicaId>;
  /** R9: evidence that tells twins of its former lives that they are twins. */
  ownForks(): Iterable<ForkEvidence>;
  /** R9: where those of its former lives ended of which no twin is known. */
  ownEnds(): Knowledge;
  readonly pos: number;
  /** Commits of this process so far, including those of knowledge alone, which have no change position. */
  readonly commits: number;
  readonly store: Pick<Store, 'get' | 'delta' | 'liveReplicas' | 'changes' | 'fingerprints' | 'inRange' | 'nthKey'>;
  /** How many collections have a state, with or without a history. */
  readonly collectionCount: number;
  collections(): Iterable<SyncCollection>;
  collection(name: CollectionName): SyncCollection;
  applyRemote(
    versions: readonly RemoteVersion[],
    claims: readonly RemoteClaim[],
    source: object,
    reached?: Reached,
  ): RemoteOutcome;
  /** R5: whether this many gone versions need more than one slice. `dropGone` drops one slice off their end, ahead of the claim. */
  isMoreThanSlice(gone: number): boolean;
  dropGone(claim: RemoteClaim, gone: readonly PlacedDot[], source: object): { taken: number; waiting: PlacedDot[] };
  /** R4: where earlier streams of this start of the sender were cut. */
  resumePoints(sender: ReplicaId, startId: string, collection: CollectionName): ReadonlyMap<ReplicaId, number>;
  /** R9: undefined if what a peer knows of this replica is a point of its own history. */
  meetKnowledge(known: Known | undefined): ForkProof | undefined;
  /** Calls back when commits that were not durable are lost: what sessions believe about them is wrong. */
  onReload(listener: () => void): () => void;
  isOwnHistory(seq: number, check: Check): boolean;
}
