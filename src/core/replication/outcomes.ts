import type { CollectionName, DocumentKey, ReplicaId } from '../ids/index.ts';
import type { Check, Dot, ForkEvidence, Known, PurgeLine, VersionBody } from '../version/index.ts';

/** A version as another node sent it, already checked for its form. */
export interface RemoteVersion extends VersionBody {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
}

/** A dot with the key of the document that it wrote. */
export interface PlacedDot {
  readonly key: DocumentKey;
  readonly dot: Dot;
}

/** R4: the sender has streamed every live version of this replica up to `seq` that it knew when the stream began. */
export interface Reached extends Dot {
  readonly sender: ReplicaId;
  /** Which start of the sender. A copy of the sender, or the sender after a rollback, has another one. */
  readonly startId: string;
  readonly collection: CollectionName;
}

/** R4–R6: a sender's claim about one collection. */
export interface RemoteClaim {
  readonly collection: CollectionName;
  readonly knowledge: ReadonlyMap<ReplicaId, Known>;
  readonly purged: PurgeLine;
  /** R5: present when the claim concludes a comparison of live sets. */
  readonly liveSet: LiveSetVerdict | undefined;
}

export interface LiveSetVerdict {
  /** Rows that have not changed since this position were compared. */
  readonly comparedFrom: number;
  isConfirmed(dot: Dot): boolean;
  /** Dots that the sender said are not live there. */
  readonly missing: readonly PlacedDot[];
}

export type RemoteOutcome =
  | { readonly kind: 'applied'; readonly applied: number; readonly forks: readonly ForkEvidence[] }
  /** R5: rows arrived meanwhile with versions that the sender has not been asked about. The claim was not adopted. */
  | { readonly kind: 'unconfirmed'; readonly collection: CollectionName; readonly versions: readonly PlacedDot[] }
  /** R9: the sender knows more writes of this replica than it made, or different ones. Nothing was applied. */
  | { readonly kind: 'forked'; readonly proof: ForkProof };

export interface ForkProof {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly theirs: Check | null;
  readonly ours: Check | null;
  readonly why: 'above-own-seq' | 'other-check' | 'twin';
}
