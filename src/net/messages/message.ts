import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { CollectionDefinition, RemoteVersion } from '../../core/replication/index.ts';
import type { Check, Dot, Fingerprint, Known } from '../../core/version/index.ts';

/**
 * What two nodes say to each other (R4–R9), as plain data. `codec.ts` turns it into bytes and back; replica ids travel as
 * numbers of a dictionary that each direction of a session builds up. Each end is both sender and receiver of versions: two
 * independent directions of one protocol over one connection.
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
  | PingMessage
  | PongMessage
  | VerifyMessage
  | VerifiedMessage
  | GoodbyeMessage;

/** First message in either direction. */
export interface HelloMessage {
  readonly kind: 'hello';
  /** Lowest and highest protocol version that the node speaks. */
  readonly protocol: { readonly min: number; readonly max: number };
  /** Human name of the node. */
  readonly node: string;
  readonly replica: ReplicaId;
  /** Random per start of the process: two lives of one replica differ in it (R9). */
  readonly life: string;
  /** Wall clock of the sender, ms. */
  readonly wallMs: number;
  /** Collections that the node wants; null: all. */
  readonly collections: readonly CollectionName[] | null;
  /** Optional abilities, such as `zstd`. Unknown ones are ignored. */
  readonly capabilities: readonly string[];
  /** Resolver of each collection that has another than the default, as `name@revision`; key `*` names the default. */
  readonly resolvers: ReadonlyMap<string, string>;
}

/** Either way: the program defines these collections so from now on. Nothing but reports rests on it. */
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
  /** Digest of (knowledge, purge line, fingerprint) of each collection; empty in a first, cheap try. */
  readonly collections: readonly { readonly collection: CollectionName; readonly digest: Uint8Array }[];
  /** The list goes on in the next summary: one message holds no more. */
  readonly more?: true;
}

/** Sender → receiver: the collections of which it needs to know what the receiver knows. None: nothing to send. */
export interface DifferMessage {
  readonly kind: 'differ';
  readonly round: number;
  readonly collections: readonly CollectionName[];
}

/** Receiver → sender: what the receiver knows of one collection. Starts the stream of what it lacks. */
export interface WantMessage {
  readonly kind: 'want';
  readonly collection: CollectionName;
  readonly knowledge: ReadonlyMap<ReplicaId, Known>;
  readonly fingerprint: Fingerprint;
  /** R4: where an earlier stream of this sender was cut: the receiver holds all that was sent up to there. */
  readonly resume?: ReadonlyMap<ReplicaId, number>;
  /** R11: much is held that knowledge does not cover, so compare first and send what differs. Absent: send everything. */
  readonly gaps?: true;
}

/** Sender → receiver. */
export interface VersionsMessage {
  readonly kind: 'versions';
  /** Rises by one with each `versions` message of the session. */
  readonly batch: number;
  readonly versions: readonly RemoteVersion[];
  /** True: the next `versions` message belongs to the same live group and both must become visible together. */
  readonly more: boolean;
  /**
   * R4: of the last version's collection and replica, every live version up to this seq has now been streamed; absent:
   * nothing is said. Never above what the sender knew when the stream began.
   */
  readonly reached?: number;
}

/** Sender → receiver (R5, R11): fingerprints of parts of its live set. Ranges are adjacent: each begins after the last one's end. */
export interface RangesMessage {
  readonly kind: 'ranges';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly after: DocumentKey | null;
  readonly ranges: readonly { readonly upTo: DocumentKey | null; readonly fingerprint: Fingerprint }[];
  /** R11: the exchange opens a round that asked for it; absent: it ends one (R5). */
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
  /** True: nothing else is asked, all other ranges are equal. */
  readonly last: boolean;
}

/** Receiver → sender (R5): which of these versions that I hold are not live with you? */
export interface CheckMessage {
  readonly kind: 'check';
  readonly collection: CollectionName;
  readonly exchange: number;
  readonly versions: readonly { readonly key: DocumentKey; readonly dot: Dot }[];
  /** True: nothing else is asked; the claim may follow. */
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
  /** Number of the R5 exchange that this claim concludes, or 0. */
  readonly exchange: number;
  /** True for the claim that ends a round: nothing known to the sender is unsent. */
  readonly complete: boolean;
}

/** Receiver → sender: all up to this batch is durable here. Gives its bytes back to the sender's credit. */
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
  /** All versions of the documents that readers see; null: the collection changed while they were summed up. */
  readonly fingerprint: Fingerprint | null;
  /** Its own rows do not fit what it says of them. */
  readonly damaged: boolean;
}

/** Last message before the connection is closed on purpose. */
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
