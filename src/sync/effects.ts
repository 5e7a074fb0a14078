import type { CollectionName, ReplicaId } from '../core/ids/index.ts';
import type { DefinitionMismatch, ForkProof } from '../core/replication/index.ts';
import type { ForkEvidence } from '../core/version/index.ts';
import type { CollectionSum, GoodbyeReason, HelloMessage, Message } from '../net/messages/index.ts';

/** What a session wants done. The shell performs effects in order. */
export type SessionEffect =
  /** Once this many commits are durable here (0: at once). Versions and claims must stay in order. */
  | { readonly kind: 'send'; readonly message: Message; readonly afterCommits: number }
  /** There is more to do at once: step again with `pump` after other work had its turn. */
  | { readonly kind: 'again' }
  /** Say goodbye, then close the connection. */
  | { readonly kind: 'close'; readonly reason: GoodbyeReason; readonly text: string }
  /** R9: this node is a copy, was rolled back, or has a twin. Take a new life; all sessions end. */
  | { readonly kind: 'forked'; readonly proof: ForkProof }
  /** R9: somebody else has a twin. Keep the evidence, tell every peer. */
  | { readonly kind: 'evidence'; readonly fork: ForkEvidence }
  | { readonly kind: 'event'; readonly event: SessionEvent };

/** For trackers, logs and screens; nothing depends on them. */
export type SessionEvent =
  | { readonly kind: 'opened'; readonly hello: HelloMessage; readonly wallOffsetMs: number }
  /** The peer's wall clock minus ours, as its pong told: either may be set while the session lasts (R10). */
  | { readonly kind: 'clock'; readonly wallOffsetMs: number }
  /** All in which the programs of the two nodes define collections differently now; told when that has changed (R3). */
  | { readonly kind: 'definitions'; readonly mismatches: readonly DefinitionMismatch[] }
  | { readonly kind: 'sent'; readonly versions: number }
  | { readonly kind: 'received'; readonly versions: number; readonly applied: number }
  /** The peer's claim moved what is known here. */
  | {
      readonly kind: 'claimed';
      readonly collection: CollectionName;
      readonly complete: boolean;
      readonly reconciled: boolean;
    }
  /** By its own word, the peer holds all own writes up to this seq of an own replica id, present or former, in this collection. */
  | {
      readonly kind: 'confirmed';
      readonly collection: CollectionName;
      readonly replica: ReplicaId;
      readonly seq: number;
    }
  /** Both ends found nothing to exchange. */
  | { readonly kind: 'equal' }
  | { readonly kind: 'round-trip'; readonly ms: number }
  /** The peer asks whether both hold the same; whoever follows the session answers with `SessionRunner.answerVerify`. */
  | { readonly kind: 'verify-asked'; readonly nonce: number; readonly digest: Uint8Array }
  /** The answer to `SessionRunner.askVerify`. */
  | { readonly kind: 'verified'; readonly nonce: number; readonly sums: readonly CollectionSum[] | null };

export type SessionInput =
  | { readonly kind: 'open' }
  | { readonly kind: 'message'; readonly message: Message }
  /** Something was committed here. */
  | { readonly kind: 'committed' }
  | { readonly kind: 'pump' }
  /** The program of this node has defined a collection. */
  | { readonly kind: 'defined' }
  /** Clocks are to be compared now. */
  | { readonly kind: 'ping' }
  /** Time passed; see `nextWakeMs`. */
  | { readonly kind: 'tick' };
