import type { Limits } from '../core/config/index.ts';
import { BLOBS_COLLECTION, type CollectionName, type DocumentKey, type ReplicaId } from '../core/ids/index.ts';
import type { RemoteVersion } from '../core/replication/index.ts';
import { dominates, joinKnowledge, type Knowledge, type Known, knows, type PurgeLine } from '../core/version/index.ts';
import type { CheckMessage, NarrowMessage } from '../net/messages/index.ts';
import type { StoredDocument } from '../store/index.ts';
import type { EchoMemory } from './echo-memory.ts';
import type { GapAnswers } from './gap-answers.ts';
import type { SyncCollection } from './replica-port.ts';

/** R5 at the sender: a comparison of live sets that runs. */
export interface Exchange {
  readonly number: number;
  /** K_T: what the sender knew when its delta was complete. The claim carries this and nothing later (ADR 0002). */
  readonly knowledge: Knowledge;
  /** Where the front-to-back pass of ranges goes on. */
  after: DocumentKey | null;
  isFrontDone: boolean;
  readonly questions: (NarrowMessage | CheckMessage)[];
  /** The purge line of the claim; undefined until it was made. */
  claimedLine: PurgeLine | undefined;
}

type ClaimedState = Pick<SyncCollection, 'knowledge' | 'purged' | 'revision'>;

/** What one collection's stream to one peer has reached. */
export class OutStream {
  readonly collection: CollectionName;
  /** What the peer is known to know: what it asked with, joined with the claims of this session in both directions. */
  readonly peerKnowledge: Map<ReplicaId, Known>;
  /**
   * `gaps`: what was live when the round began, where the peer says that it differs. `delta`: what was live then, by replica.
   * `live`: changes in order of position.
   */
  phase: 'gaps' | 'delta' | 'live' = 'delta';
  /** R11: the comparison that runs in phase `gaps`. */
  gaps: GapAnswers | undefined;
  /** Replicas whose versions are still to be streamed; the first is in work. */
  readonly replicas: ReplicaId[];
  afterSeq = 0;
  /** What this node knew when the stream began: only up to there can a cut stream go on. */
  #known: Knowledge;
  /** Where an earlier stream was cut, as the peer remembers it, and how far this one came. */
  readonly #resume: Map<ReplicaId, number>;
  /** Everything that changed up to here was sent, or need not be. */
  pos: number;
  exchange: Exchange | undefined;
  /** R5: the purge line up to which the peer adopted the result of a comparison. */
  comparedLine: PurgeLine | undefined;
  /** The round is open until its claim was made. */
  isRoundOpen = true;
  /** State of the collection at the last claim. */
  claimed: ClaimedState | undefined;

  constructor(
    state: SyncCollection,
    peerKnowledge: Knowledge,
    pos: number,
    replicas: readonly ReplicaId[],
    resume: ReadonlyMap<ReplicaId, number> = new Map(),
  ) {
    this.collection = state.name;
    this.#known = state.knowledge;
    this.#resume = new Map(resume);
    this.peerKnowledge = new Map(peerKnowledge);
    this.replicas = [...replicas];
    this.pos = pos;
    if (replicas.length === 0) this.phase = 'live';
  }

  /**
   * A long backlog of changes is streamed as a delta again, which can go on where it is cut; changes in order of position
   * cannot. Nothing that a delta of this session has brought is sent twice.
   */
  restart(state: SyncCollection, pos: number, replicas: readonly ReplicaId[]): void {
    this.#known = state.knowledge;
    this.replicas.splice(0, this.replicas.length, ...replicas);
    this.pos = pos;
    this.phase = 'delta';
    this.enterReplica();
  }

  /** R11: instead of a delta, what both hold is compared. */
  searchGaps(gaps: GapAnswers): void {
    this.gaps = gaps;
    this.phase = 'gaps';
  }

  /** What differed was sent: the peer holds what was live when the round began, so a later delta need not send it. */
  closeGaps(): void {
    for (const [replica, { seq }] of this.#known) this.#resume.set(replica, seq);
    this.gaps = undefined;
    this.phase = 'live';
  }

  /** With as many bytes unconfirmed the delta waits. */
  creditBytes({ sessionCreditBytes, blobCreditBytes }: Limits): number {
    return this.collection === BLOBS_COLLECTION ? Math.min(blobCreditBytes, sessionCreditBytes) : sessionCreditBytes;
  }

  /** Whether it has something to do besides sending what changes. */
  get isWorking(): boolean {
    return this.phase !== 'live' || this.isRoundOpen || this.exchange !== undefined;
  }

  peerKnows(knowledge: Knowledge): void {
    joinKnowledge(this.peerKnowledge, knowledge);
  }

  /** The first replica of the delta is in work: `afterSeq` is where its versions begin that the peer may lack. */
  enterReplica(): void {
    const replica = this.replicas[0];
    if (replica === undefined) this.phase = 'live';
    else this.afterSeq = Math.max(this.peerKnowledge.get(replica)?.seq ?? 0, this.#resume.get(replica) ?? 0);
  }

  /**
   * R4: up to where the stream can go on after a cut, once every live version up to `seq` was sent; undefined: nowhere. Versions
   * of another node may arrive behind a page that has passed their place, so only what was known at the beginning counts;
   * own ones (`ownSeq`: the newest) come in their order.
   */
  reached(replica: ReplicaId, seq: number, ownSeq: number | undefined): number | undefined {
    const reached = Math.min(seq, ownSeq ?? this.#known.get(replica)?.seq ?? 0);
    if (reached <= 0) return undefined;
    this.#resume.set(replica, Math.max(this.#resume.get(replica) ?? 0, reached));
    return reached;
  }

  /** The round is over: what there is to say of this state was claimed, or the peer knows it. */
  conclude({ knowledge, purged, revision }: ClaimedState): void {
    this.claimed = { knowledge, purged, revision };
    this.isRoundOpen = false;
  }

  /** Whether this end knows something that the peer does not know and was not told. */
  hasUnclaimed({ knowledge, revision }: SyncCollection): boolean {
    return this.claimed?.revision !== revision && !dominates(this.peerKnowledge, knowledge);
  }

  isKnownToPeer(replica: ReplicaId, seq: number): boolean {
    return knows(this.peerKnowledge, replica, seq);
  }

  /** Versions of a document that the peer is not known to know, and that it did not send itself. */
  unknownOf({ collection, key, versions }: StoredDocument, echo: EchoMemory): RemoteVersion[] {
    return versions
      .filter((version) => !this.isKnownToPeer(version.replica, version.seq) && !echo.has(version))
      .map((version) => ({ ...version, collection, key }));
  }

  /**
   * R5: whether what the peer is known to know makes a delta enough. Where the purge line names writes of which this node
   * knows nothing any more (R11), no claim of its own can ever cover it: then one comparison stands until the line rises
   * there, or this node learns of that replica again. What is dead by a tombstone that it knows is in what it claimed.
   */
  isDeltaEnough({ knowledge, purged }: SyncCollection): boolean {
    for (const [replica, seq] of purged) {
      if (this.isKnownToPeer(replica, seq)) continue;
      if (this.comparedLine?.get(replica) !== seq) return false;
      const known = knowledge.get(replica)?.seq ?? 0;
      if (known > 0 && !this.isKnownToPeer(replica, known)) return false;
    }
    return true;
  }

  /**
   * Entries of both vectors that are newer than at the last claim. The first one leaves out what the peer itself said that it
   * knows, but for another check of the same write, which proves a fork, and what is known of the peer's own writes (R9).
   */
  unclaimed(
    state: SyncCollection,
    peer: ReplicaId,
  ): { knowledge: Map<ReplicaId, Known>; purged: Map<ReplicaId, number> } {
    const isClaimed = (replica: ReplicaId, known: Known): boolean =>
      this.claimed === undefined
        ? replica !== peer && saysNothing(known, this.peerKnowledge.get(replica))
        : this.claimed.knowledge.get(replica)?.seq === known.seq;
    const knowledge = new Map([...state.knowledge].filter(([replica, known]) => !isClaimed(replica, known)));
    const purged = new Map<ReplicaId, number>();
    for (const [replica, seq] of state.purged) if (this.claimed?.purged.get(replica) !== seq) purged.set(replica, seq);
    return { knowledge, purged };
  }
}

/** Whether who knows `held` of a replica learns nothing from `known`. */
function saysNothing(known: Known, held: Known | undefined): boolean {
  if (held === undefined || held.seq < known.seq) return false;
  return held.seq > known.seq || held.check === known.check;
}
