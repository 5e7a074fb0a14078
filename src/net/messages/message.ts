import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { CollectionDefinition, RemoteVersion } from '../../core/replication/index.ts';
import type { Check, Dot, Fingerprint, Known } from '../../core/version/index.ts';

/**
 * What two nodes say to each other (R4–R9), as plain data. `codec.ts` turns it into bytes and back. Replica ids travel as
 * numbers from a dictionary that each direction of a session builds up. Each end is both sender and receiver of versions:
 * one connection carries two independent directions of the same protocol.
 */
export type Message =
  | HelloMessage
  | DefinitionsMessage
  | SummaryMessage
  | DifferMessage
  | WantMessage
  | VersionsMessage
  | RangesMessage
  | NarrowMessage
  | FetchMessage
  | CheckMessage
  | MissingMessage
  | ClaimMessage
  | AckMessage
  | ForkMessage
  | EndedMessage
  | PingMessage
  | PongMessage
  | VerifyMessage
  | VerifiedMessage
  | GoodbyeMessage;

/** The first message in either direction. */
export interface HelloMessage {
  readonly kind: 'hello';
  /** Lowest and highest protocol version that the node speaks. */
  readonly protocol: { readonly min: number; readonly max: number };
  /** Human name of the node. */
  readonly node: string;
  readonly replica: ReplicaId;
  /** Random for each start of the process, so that two processes with one replica id differ in it (R9). */
  readonly startId: string;
  /** Wall clock of the sender, ms. */
  readonly wallMs: number;
  /** Collections that the node wants; null: all. */
  readonly collections: readonly CollectionName[] | null;
  /** Optional abilities, such as `zstd`. Unknown ones are ignored. */
  readonly capabilities: readonly string[];
  /** The resolver of each collection that does not use the default, as `name@revision`; key `*` names the default. */
  readonly resolvers: ReadonlyMap<string, string>;
}

/** Either way: how the program defines these collections from now on. Used for nothing but reports of mismatches. */
export interface DefinitionsMessage {
  readonly kind: 'definitions';
  readonly collections: readonly CollectionDefinition[];
}

/** Receiver → sender: opens a round, cheaply. The sender answers with `differ`. */
export interface SummaryMessage {
  readonly kind: 'summary';
  readonly round: number;
  /** 16 bytes over the digests of all collections that both want. */
  readonly digest: Uint8Array;
  /** Digest of (knowledge, purge line, fingerprint) of each collection; empty in the first, cheap attempt. */
  readonly collections: readonly { readonly collection: CollectionName; readonly digest: Uint8Array }[];
  /** The list continues in the next summary, because one message holds no more. */
  readonly more?: true;
}

/** Sender → receiver: the collections for which it must learn what the receiver knows. None: it has nothing to ask. */
export interface DifferMessage {
  readonly kind: 'differ';
  readonly round: number;
  readonly collections: readonly CollectionName[];
  /** The sender is about to send or claim something. Otherwise, if no collection is named, all that it holds was sent and claimed. */
  readonly busy?: true;
}

/** Receiver → sender: what the receiver knows of one collection. Starts the stream of what the receiver lacks. */
export interface WantMessage {
  readonly kind: 'want';
  readonly collection: CollectionName;
  readonly knowledge: ReadonlyMap<ReplicaId, Known>;
  readonly fingerprint: Fingerprint;
  /** R4: where an earlier stream of this sender was cut. The receiver holds everything that was sent up to there. */
  readonly resume?: ReadonlyMap<ReplicaId, number>;
  /** R11: the receiver holds much that its knowledge does not cover: compare first, send what differs. Absent: send everything. */
  readonly gaps?: true;
}

/** Sender → receiver. */
export interface VersionsMessage {
  readonly kind: 'versions';
  /** Increases by one with each `versions` message of the session. */
  readonly batch: number;
  readonly versions: readonly RemoteVersion[];
  /** True: the next `versions` message belongs to the same live group and both must become visible together. */
  readonly more: boolean;
  /**
   * R4: every live version of the last version's collection and replica up to this seq has now been streamed. Absent: no
   * statement. Never above what the sender knew when the stream began.
   */
  readonly reached?: number;
}

/** Sender → receiver (R5, R11): fingerprints of parts of its live set. Ranges are adjacent: each begins where the last one ends. */
export interface RangesMessage {
  readonly kind: 'ranges';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly after: DocumentKey | null;
  readonly ranges: readonly { readonly upTo: DocumentKey | null; readonly fingerprint: Fingerprint }[];
  /** R11: the exchange opens a round whose `want` asked for it. Absent: the exchange ends a round (R5). */
  readonly gaps?: true;
}

/** Receiver → sender (R5, R11): these ranges differ, say more about them. */
export interface NarrowMessage {
  readonly kind: 'narrow';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly ranges: readonly { readonly after: DocumentKey | null; readonly upTo: DocumentKey | null }[];
}

/** Receiver → sender (R11): send the versions in these ranges. */
export interface FetchMessage {
  readonly kind: 'fetch';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly ranges: readonly { readonly after: DocumentKey | null; readonly upTo: DocumentKey | null }[];
  /** True: the receiver asks for nothing else, all other ranges are equal. */
  readonly last: boolean;
}

/** Receiver → sender (R5): which of these versions that I hold are not live with you? */
export interface CheckMessage {
  readonly kind: 'check';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly versions: readonly { readonly key: DocumentKey; readonly dot: Dot }[];
  /** True: the receiver asks nothing else, the claim may follow. */
  readonly last: boolean;
}

/** Sender → receiver (R5): of the versions of the last `check`, these are not live here. */
export interface MissingMessage {
  readonly kind: 'missing';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly versions: readonly { readonly key: DocumentKey; readonly dot: Dot }[];
}

/** Sender → receiver (R4–R6): what the receiver may now call known. Entries are joined; a live claim names what changed. */
export interface ClaimMessage {
  readonly kind: 'claim';
  readonly collections: readonly ClaimedCollection[];
}

export interface ClaimedCollection {
  readonly collection: CollectionName;
  readonly knowledge: ReadonlyMap<ReplicaId, Known>;
  readonly purged: ReadonlyMap<ReplicaId, number>;
  /** The number of the R5 exchange that this claim concludes, or 0. */
  readonly exchange: number;
  /** True for the claim that ends a round: the sender has sent everything that it knows. */
  readonly complete: boolean;
}

/** Receiver → sender: everything up to this batch is durable here. Returns its bytes to the sender's credit. */
export interface AckMessage {
  readonly kind: 'ack';
  readonly batch: number;
}

/** Either way (R9): two lives wrote under one replica id. */
export interface ForkMessage {
  readonly kind: 'fork';
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly checks: readonly [Check, Check];
}

/** Either way (R9): where former lives of the sender, or of a peer of the sender, ended. Who has such an id and another history is a twin. */
export interface EndedMessage {
  readonly kind: 'ended';
  readonly ends: ReadonlyMap<ReplicaId, Known>;
}

export interface PingMessage {
  readonly kind: 'ping';
  readonly nonce: number;
  readonly wallMs: number;
}

export interface PongMessage {
  readonly kind: 'pong';
  readonly nonce: number;
  readonly wallMs: number;
}

/** Either way: do we hold the same? The answer may take as long as reading all documents does. */
export interface VerifyMessage {
  readonly kind: 'verify';
  readonly nonce: number;
  /** As in `summary`. */
  readonly digest: Uint8Array;
}

export interface VerifiedMessage {
  readonly kind: 'verified';
  readonly nonce: number;
  /** Null: the digests are equal. */
  readonly sums: readonly CollectionSum[] | null;
}

/** What a node holds of one collection, for comparison. */
export interface CollectionSum {
  readonly collection: CollectionName;
  /** 16 bytes over what is known of it. */
  readonly knowledge: Uint8Array;
  /** Over all versions of the documents that readers see; null: the collection changed during the summing. */
  readonly fingerprint: Fingerprint | null;
  /** The node's rows do not match its own sums. */
  readonly damaged: boolean;
}

/** The last message before the connection is closed on purpose. */
export interface GoodbyeMessage {
  readonly kind: 'goodbye';
  readonly reason: GoodbyeReason;
}

export type GoodbyeReason =
  | 'closing'
  | 'duplicate'
  | 'identity'
  | 'damage'
  | 'wants'
  | 'restored'
  | 'protocol'
  | 'self'
  | 'busy'
  | 'other';
