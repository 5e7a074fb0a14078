import type { CollectionName, ReplicaId } from '../core/ids/index.ts';
import type { DefinitionMismatch, ForkProof } from '../core/replication/index.ts';
import type { ForkEvidence, Knowledge } from '../core/version/index.ts';
import type { CollectionSum, GoodbyeReason, HelloMessage, Message } from '../net/messages/index.ts';

/** What a session asks its shell to do. The shell performs effects in order. */
export type SessionEffect =
  /** Send the message once this many commits are durable here (0: immediately). Messages must stay in order. */
  | { readonly kind: 'send'; readonly message: Message; readonly afterCommits: number }
  /** There is more to do now: step again with `pump` after other work had its turn. */
  | { readonly kind: 'again' }
  /** Say goodbye, then close the connection. */
  | { readonly kind: 'close'; readonly reason: GoodbyeReason; readonly text: string }
  /** R9: this node is a copy, was rolled back, or has a twin. End all sessions and take a new life. */
  | { readonly kind: 'forked'; readonly proof: ForkProof }
  /** R9: another replica has a twin. Keep the evidence and tell every peer. */
  | { readonly kind: 'evidence'; readonly fork: ForkEvidence }
  /** R9: where lives of other nodes ended. Tell whoever has such an id. */
  | { readonly kind: 'ends'; readonly ends: Knowledge }
  | { readonly kind: 'event'; readonly event: SessionEvent };

/** For trackers, logs and user interfaces; replication does not depend on them. */
export type SessionEvent =
  | { readonly kind: 'opened'; readonly hello: HelloMessage; readonly wallOffsetMs: number }
  /** The peer's wall clock minus ours according to its pong: either clock may be set during the session (R10). */
  | { readonly kind: 'clock'; readonly wallOffsetMs: number }
  /** All present differences between the definitions of the two programs; emitted when they have changed (R3). */
  | { readonly kind: 'definitions'; readonly mismatches: readonly DefinitionMismatch[] }
  | { readonly kind: 'sent'; readonly versions: number }
  | { readonly kind: 'received'; readonly versions: number; readonly applied: number }
  /** This node adopted a claim of the peer. */
  | {
      readonly kind: 'claimed';
      readonly collection: CollectionName;
      readonly complete: boolean;
      readonly reconciled: boolean;
    }
  /** The peer says that it holds all writes in this collection, up to this seq, of a present or former replica id of this node. */
  | {
      readonly kind: 'confirmed';
      readonly collection: CollectionName;
      readonly replica: ReplicaId;
      readonly seq: number;
    }
  /** The peer has nothing to send: this node holds all that it holds. */
  | { readonly kind: 'up-to-date' }
  /** The peer holds the same versions of this collection as this node, and knows the same. */
  | { readonly kind: 'same'; readonly collection: CollectionName }
  | { readonly kind: 'round-trip'; readonly ms: number }
  /** The peer asks whether both hold the same. The listener answers with `SessionRunner.answerVerify`. */
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
  /** Compare clocks with the peer now. */
  | { readonly kind: 'ping' }
  /** Time passed; see `nextWakeMs`. `isReceiving`: since the last message and the last tick, a part of a message has arrived. */
  | { readonly kind: 'tick'; readonly isReceiving?: boolean };
