import type { CollectionName, DocumentKey, ReplicaId } from '../ids/index.ts';
import type { Check, Dot, ForkEvidence, Known, PurgeLine, VersionBody } from '../version/index.ts';

/** A version as another node sent it, already checked for form. */
export interface RemoteVersion extends VersionBody {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
}

/** A dot with the document that it is a write of. */
export interface PlacedDot {
  readonly key: DocumentKey;
  readonly dot: Dot;
}

/** R4: of this replica, the sender has streamed every live version up to `seq` that it knew of when the stream began. */
export interface Reached extends Dot {
  readonly sender: ReplicaId;
  /** Of the sender's process: a copy of it, or what it is after it was rolled back, has another one. */
  readonly life: string;
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
  /** The sender said that these are not live there. */
  readonly missing: readonly PlacedDot[];
}

export type RemoteOutcome =
  | { readonly kind: 'applied'; readonly applied: number; readonly forks: readonly ForkEvidence[] }
  /** R5: rows came meanwhile whose versions the sender has not been asked about. Nothing was claimed. */
  | { readonly kind: 'unconfirmed'; readonly collection: CollectionName; readonly versions: readonly PlacedDot[] }
  /** R9: the sender knows more of my replica than I wrote, or something else. Nothing was applied. */
  | { readonly kind: 'forked'; readonly proof: ForkProof };

export interface ForkProof {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly theirs: Check | null;
  readonly ours: Check | null;
  readonly why: 'above-own-seq' | 'other-check' | 'twin';
}
