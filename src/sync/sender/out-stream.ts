import type { Limits } from '../../core/config/index.ts';
import { BLOBS_COLLECTION, type CollectionName, type ReplicaId } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import {
  dominates,
  joinKnowledge,
  type Knowledge,
  type Known,
  knows,
  type PurgeLine,
} from '../../core/version/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import type { SyncCollection } from '../replica-port.ts';
import type { EchoMemory } from './echo-memory.ts';
import type { GapAnswers } from './gap-answers.ts';
import type { LiveSetAnswers } from './live-set-answers.ts';

type ClaimedState = Pick<SyncCollection, 'knowledge' | 'purged' | 'revision'>;

/** The state of one collection's stream to one peer. */
export class OutStream {
  readonly collection: CollectionName;
  /** What the peer is known to know: the knowledge of its `want`, joined with the claims of this session in both directions. */
  readonly peerKnowledge: Map<ReplicaId, Known>;
  /**
   * `gaps`: sends what was live when the round began, in the ranges where the peer differs. `delta`: sends what was live then,
   * by replica. `live`: sends changes in order of position.
   */
  phase: 'gaps' | 'delta' | 'live' = 'delta';
  /** R11: the comparison that runs in phase `gaps`. */
  gaps: GapAnswers | undefined;
  /** Replicas whose versions are still to be streamed; the first one is in progress. */
  readonly replicas: ReplicaId[];
  afterSeq = 0;
  /** What this node knew when the stream began: a cut stream can be resumed only up to there. */
  #known: Knowledge;
  /** Where an earlier stream was cut, as the peer remembers, raised to where this stream has come. */
  readonly #resume: Map<ReplicaId, number>;
  /** Every change up to this position was sent, or need not be sent. */
  pos: number;
  /** R5: the comparison of live sets that runs. */
  liveSet: LiveSetAnswers | undefined;
  /** R5: the purge line of the last comparison whose claim the peer adopted. */
  comparedLine: PurgeLine | undefined;
  /** Whether the round is open, that is, its claim is still to be made. */
  isRoundOpen = true;
  /** The state of the collection at the last claim. */
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
   * Streams a long backlog of changes as a delta again. A delta can be resumed where it is cut; changes in order of position
   * cannot. Nothing that a delta of this session has sent is sent twice.
   */
  restart(state: SyncCollection, pos: number, replicas: readonly ReplicaId[]): void {
    this.#known = state.knowledge;
    this.replicas.splice(0, this.replicas.length, ...replicas);
    this.pos = pos;
    this.phase = 'delta';
    this.enterReplica();
  }

  /** R11: compares what both ends hold instead of sending a delta. */
  searchGaps(gaps: GapAnswers): void {
    this.gaps = gaps;
    this.phase = 'gaps';
  }

  /** Everything that differed was sent. The peer now holds what was live when the round began; a later delta need not send it. */
  closeGaps(): void {
    for (const [replica, { seq }] of this.#known) this.#resume.set(replica, seq);
    this.gaps = undefined;
    this.phase = 'live';
  }

  /** The delta waits while this many bytes are unconfirmed. */
  creditBytes({ sessionCreditBytes, blobCreditBytes }: Limits): number {
    return this.collection === BLOBS_COLLECTION ? Math.min(blobCreditBytes, sessionCreditBytes) : sessionCreditBytes;
  }

  /** Whether the stream has something to do besides sending new changes. */
  get isWorking(): boolean {
    return this.phase !== 'live' || this.isRoundOpen || this.liveSet !== undefined;
  }

  peerKnows(knowledge: Knowledge): void {
    joinKnowledge(this.peerKnowledge, knowledge);
  }

  /** Begins with the first remaining replica: versions that the peer may lack begin after `afterSeq`. Without one, goes live. */
  enterReplica(): void {
    const replica = this.replicas[0];
    if (replica === undefined) this.phase = 'live';
    else this.afterSeq = Math.max(this.peerKnowledge.get(replica)?.seq ?? 0, this.#resume.get(replica) ?? 0);
  }

  /**
   * R4: where the stream can be resumed after a cut, once every live version up to `seq` was sent; undefined if nowhere. Versions
   * of another node may arrive here after the page with their place was sent, so only what was known at the beginning counts.
   * This node's own versions come in order; `ownSeq` is the newest.
   */
  reached(replica: ReplicaId, seq: number, ownSeq: number | undefined): number | undefined {
    const reached = Math.min(seq, ownSeq ?? this.#known.get(replica)?.seq ?? 0);
    if (reached <= 0) return undefined;
    this.#resume.set(replica, Math.max(this.#resume.get(replica) ?? 0, reached));
    return reached;
  }

  /** Ends the round: this state was claimed, or the peer already knows it. */
  conclude({ knowledge, purged, revision }: ClaimedState): void {
    this.claimed = { knowledge, purged, revision };
    this.isRoundOpen = false;
  }

  /** Whether this end knows something that was not claimed and that the peer does not know. */
  hasUnclaimed({ knowledge, revision }: SyncCollection): boolean {
    return this.claimed?.revision !== revision && !dominates(this.peerKnowledge, knowledge);
  }

  /** Whether this end knows something else than it last claimed here; false before the first claim. */
  hasChangedSinceClaim({ revision }: SyncCollection): boolean {
    return this.claimed !== undefined && this.claimed.revision !== revision;
  }

  isKnownToPeer(replica: ReplicaId, seq: number): boolean {
    return knows(this.peerKnowledge, replica, seq);
  }

  /** The versions of a document that the peer is not known to know and did not send itself. */
  unknownOf({ collection, key, versions }: StoredDocument, echo: EchoMemory): RemoteVersion[] {
    return versions
      .filter((version) => !this.isKnownToPeer(version.replica, version.seq) && !echo.has(version))
      .map((version) => ({ ...version, collection, key }));
  }

  /**
   * R5: whether a delta is enough for the peer, given what it is known to know. The purge line may name writes that this node
   * itself no longer knows (R11). No claim of its own can cover these, so one adopted comparison stands for them until the line
   * rises there, or this node learns of that replica again. What died by a tombstone that it knows is covered by its claims.
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
   * The entries of both vectors that are newer than at the last claim. The first claim also omits what the peer itself said that
   * it knows, except for a different check of the same write, which proves a fork, and knowledge of the peer's own writes (R9).
   * `told`: what this end has said in its own `want`. Of later knowledge the peer has not heard, and its receipts wait for it,
   * also for that of writes of its former lives.
   */
  unclaimed(
    state: SyncCollection,
    peer: ReplicaId,
    told: Knowledge | undefined,
  ): { knowledge: Map<ReplicaId, Known>; purged: Map<ReplicaId, number> } {
    const isClaimed = (replica: ReplicaId, known: Known): boolean =>
      this.claimed === undefined
        ? replica !== peer &&
          addsNothing(known, this.peerKnowledge.get(replica)) &&
          (told === undefined || told.get(replica)?.seq === known.seq)
        : this.claimed.knowledge.get(replica)?.seq === known.seq;
    const knowledge = new Map([...state.knowledge].filter(([replica, known]) => !isClaimed(replica, known)));
    const purged = new Map<ReplicaId, number>();
    for (const [replica, seq] of state.purged) if (this.claimed?.purged.get(replica) !== seq) purged.set(replica, seq);
    return { knowledge, purged };
  }
}

/** Whether a node that knows `held` of a replica learns nothing from `known`. */
function addsNothing(known: Known, held: Known | undefined): boolean {
  if (held === undefined || held.seq < known.seq) return false;
  return held.seq > known.seq || held.check === known.check;
}
