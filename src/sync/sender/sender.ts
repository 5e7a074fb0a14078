import { BLOBS_COLLECTION, type CollectionName } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import { isSameFingerprint, type Knowledge } from '../../core/version/index.ts';
import type {
  AckMessage,
  CheckMessage,
  ClaimMessage,
  FetchMessage,
  NarrowMessage,
  SummaryMessage,
  VersionsMessage,
  WantMessage,
} from '../../net/messages/index.ts';
import type { StoredDocument } from '../../store/index.ts';
import { inMessages } from '../in-messages.ts';
import type { SessionContext } from '../session-context.ts';
import { hasHistory, isSameDigest, sessionDigest } from '../summary.ts';
import { Claims } from './claims.ts';
import { EchoMemory } from './echo-memory.ts';
import { GapAnswers } from './gap-answers.ts';
import { LiveSetAnswers } from './live-set-answers.ts';
import { OutStream } from './out-stream.ts';
import { OutStreams } from './out-streams.ts';
import { PageSize } from './page-size.ts';
import { readDelta } from './read-delta.ts';
import { SummaryParts } from './summary-parts.ts';
import { type SendOptions, VersionBatches } from './version-batches.ts';

/** How many questions of one exchange may wait for their answer; a peer that asks more breaks the protocol. */
const QUESTIONS_MAX = 1024;

/** The sending direction of a session: answers rounds, streams versions in order, and claims when nothing is unsent. */
export class Sender {
  readonly #context: SessionContext;
  readonly #streams = new OutStreams();
  readonly #echo: EchoMemory;
  readonly #batches: VersionBatches;
  readonly #summary = new SummaryParts();
  readonly #claims: Claims;
  #exchanges = 0;
  /** Collections that had a history at the last look; `#seenPos`: the change position at that moment. */
  readonly #seen = new Set<CollectionName>();
  #seenPos = 0;
  readonly #pages: PageSize;
  /** Whether a backlog that was too large for one group is being sent message by message. */
  #isBehind = false;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#echo = new EchoMemory(context.deps.limits.echoMemoryMax);
    this.#claims = new Claims(context, this.#streams);
    this.#pages = new PageSize(context.deps.limits);
    this.#batches = new VersionBatches(context, this.#pages);
  }

  get load(): { readonly unackedBytes: number; readonly echoes: number; readonly questions: number } {
    let questions = 0;
    for (const { liveSet, gaps } of this.#streams.working())
      questions += (liveSet?.questions ?? 0) + (gaps?.questions ?? 0);
    return { unackedBytes: this.#batches.unconfirmedBytes, echoes: this.#echo.size, questions };
  }

  get nextWakeMs(): number {
    return this.#claims.nextWakeMs;
  }

  /** R4: names the collections for which vectors must travel. Returns whether all are equal; undefined: parts are to come. */
  summary(message: SummaryMessage): boolean | undefined {
    const theirs = this.#summary.take(message, (name) => this.#context.counts(name));
    if (theirs === undefined) return undefined;
    this.#beginNewCollections();
    const digests = this.#context.sharedDigests();
    const isEqual = isSameDigest(message.digest, sessionDigest(digests));
    const differ: CollectionName[] = [];
    let isBusy = false;
    for (const [collection, digest] of digests) {
      if (isEqual || isSameDigest(theirs.get(collection), digest)) this.#meetEqual(collection);
      else if (this.#isBusyWith(collection)) isBusy = true;
      else if (this.#hasUnclaimed(collection)) differ.push(collection);
    }
    const busy = isBusy ? ({ busy: true } as const) : {};
    for (const collections of inMessages(differ, this.#context.deps.limits))
      this.#context.send({ kind: 'differ', round: message.round, collections, ...busy });
    return isEqual;
  }

  /** R4: the round of one collection begins. */
  want(message: WantMessage): void {
    const { collection } = message;
    if (!this.#context.isShared(collection)) return;
    const { replica } = this.#context;
    const resumed = message.resume?.get(replica.id);
    const proof =
      replica.meetKnowledge(message.knowledge.get(replica.id)) ??
      replica.meetKnowledge(resumed === undefined ? undefined : { seq: resumed, check: null });
    if (proof !== undefined) return this.#context.effect({ kind: 'forked', proof });
    this.#confirm(collection, message.knowledge, true);
    const state = replica.collection(collection);
    const nothingToSend = isSameFingerprint(state.fingerprint, message.fingerprint);
    const replicas = nothingToSend ? [] : replica.store.liveReplicas(collection);
    const stream = new OutStream(state, message.knowledge, replica.pos, replicas, message.resume);
    this.#streams.set(stream);
    if (message.gaps === true && !nothingToSend)
      stream.searchGaps(new GapAnswers(this.#context, collection, ++this.#exchanges));
    else stream.enterReplica();
  }

  /** The peer, as a sender, claimed. So it knows at least that itself. */
  peerClaimed(message: ClaimMessage): void {
    for (const { collection, knowledge } of message.collections) {
      if (!this.#context.isShared(collection)) continue;
      const stream = this.#streams.get(collection);
      stream?.peerKnows(knowledge);
      this.#confirm(collection, knowledge, false);
      // Adopting it raised what this end knows. The peer learns nothing new by that, but its receipts wait to hear it.
      if (stream?.hasChangedSinceClaim(this.#context.replica.collection(collection))) this.#claims.plan();
    }
  }

  /** Remembers what the peer sent, so that it is not sent back (R8). */
  peerSent(message: VersionsMessage): void {
    for (const version of message.versions) this.#echo.remember(version);
  }

  /** All commits here since `pos` came from this very peer: streams that had sent everything up to `pos` skip them. */
  passOver(pos: number): void {
    for (const stream of this.#streams.all())
      if (stream.phase === 'live' && stream.pos >= pos) stream.pos = this.#context.replica.pos;
    this.#claims.plan();
  }

  ask(message: NarrowMessage | FetchMessage | CheckMessage): void {
    const stream = this.#streams.get(message.collection);
    if (stream === undefined) return;
    const { gaps, liveSet } = stream;
    if ((gaps?.questions ?? 0) + (liveSet?.questions ?? 0) >= QUESTIONS_MAX)
      return this.#context.effect({ kind: 'close', reason: 'protocol', text: 'too many questions in one exchange' });
    if (gaps?.exchange === message.exchange && message.kind !== 'check') return gaps.ask(message);
    if (liveSet?.exchange !== message.exchange || message.kind === 'fetch') return;
    if (message.kind === 'check' && message.last && message.versions.length === 0 && liveSet.claimedLine) {
      stream.comparedLine = liveSet.claimedLine;
      stream.liveSet = undefined;
      return this.#claims.plan();
    }
    liveSet.ask(message);
  }

  ack(message: AckMessage): void {
    this.#batches.confirmed(message.batch);
  }

  /** The session is open. Collections that have a history by now belong to the first round. */
  opened(): void {
    for (const state of this.#context.replica.collections()) if (hasHistory(state)) this.#seen.add(state.name);
    this.#seenPos = this.#context.replica.pos;
  }

  /** Something was committed here: `pump` sends versions; knowledge alone needs a claim. */
  committed(): void {
    this.#beginNewCollections();
    this.#claims.committed();
  }

  /** One bounded unit of work. True if there is more to do now. */
  pump(): boolean {
    this.#claims.look();
    if (this.#pumpLive()) return true;
    const { hasClaimed, toCompare } = this.#claims.pump();
    for (const stream of toCompare) this.#compare(stream);
    for (const stream of this.#streams.working())
      if (this.#pumpDelta(stream) || this.#pumpGaps(stream) || this.#pumpLiveSet(stream)) return true;
    return hasClaimed;
  }

  /**
   * R8: a collection that begins while the session is open needs no round, because all of it changed since the last look. It
   * is live immediately, so that its first transaction arrives whole (I6). The peer is assumed to know nothing of it until it
   * says otherwise.
   */
  #beginNewCollections(): void {
    const { replica } = this.#context;
    if (replica.collectionCount > this.#seen.size)
      for (const state of replica.collections()) {
        if (this.#seen.has(state.name) || !hasHistory(state)) continue;
        this.#seen.add(state.name);
        if (!this.#context.isShared(state.name) || this.#streams.has(state.name)) continue;
        const stream = new OutStream(state, new Map(), this.#seenPos, []);
        stream.isRoundOpen = false;
        this.#streams.set(stream);
      }
    this.#seenPos = replica.pos;
  }

  /** Whether a stream is about to send or claim something. */
  #isBusyWith(collection: CollectionName): boolean {
    const stream = this.#streams.get(collection);
    if (stream === undefined) return false;
    const isSending = stream.phase !== 'live' || stream.pos < this.#context.replica.pos;
    return stream.isRoundOpen || stream.liveSet !== undefined || isSending || this.#claims.isPlanned;
  }

  /** Whether this end may hold something that the peer does not know. */
  #hasUnclaimed(collection: CollectionName): boolean {
    const state = this.#context.replica.collection(collection);
    return this.#streams.get(collection)?.hasUnclaimed(state) ?? hasHistory(state);
  }

  /** Both ends hold and know the same: the stream is live from now on, as after a claim. */
  #meetEqual(collection: CollectionName): void {
    if (this.#streams.get(collection)?.isRoundOpen === true) return;
    const state = this.#context.replica.collection(collection);
    const stream =
      this.#streams.get(collection) ?? new OutStream(state, state.knowledge, this.#context.replica.pos, []);
    stream.peerKnows(state.knowledge);
    stream.conclude(state);
    this.#streams.set(stream);
    this.#confirm(collection, state.knowledge, true);
    this.#context.event({ kind: 'same', collection });
  }

  #hasCredit(bytes: number = this.#context.deps.limits.sessionCreditBytes): boolean {
    return this.#batches.unconfirmedBytes < Math.min(bytes, this.#batches.windowBytes);
  }

  /** A peer that cannot keep up with single writes gets their combined result later, in one group. */
  #hasLiveCredit(): boolean {
    return this.#batches.unconfirmed < this.#context.deps.limits.liveMessagesMax;
  }

  /** R4, first part: sends about one message of what was live when the round began. */
  #pumpDelta(stream: OutStream): boolean {
    if (stream.phase !== 'delta' || !this.#hasCredit(stream.creditBytes(this.#context.deps.limits))) return false;
    const { versions, reached } = readDelta(this.#context, stream, this.#pages, this.#echo);
    this.#sendVersions(versions, reached === undefined ? {} : { reached });
    if (stream.phase !== 'delta') this.#streams.hasWork(stream);
    return true;
  }

  /** R11: one step of the comparison that replaces the first part of R4, or one page of what it found. */
  #pumpGaps(stream: OutStream): boolean {
    const { gaps } = stream;
    if (gaps === undefined) return false;
    if (gaps.isSending) {
      if (!this.#hasCredit(stream.creditBytes(this.#context.deps.limits))) return false;
      this.#sendVersions(gaps.page(this.#pages).flatMap((document) => stream.unknownOf(document, this.#echo)));
    } else if (!gaps.isDone && !gaps.answer()) return false;
    if (gaps.isDone) {
      stream.closeGaps();
      this.#streams.hasWork(stream);
    }
    return true;
  }

  /**
   * R8 and the rest of R4: sends what changed since, over all live streams in order of position. What fits into one group
   * becomes visible together at the peer (I6); a longer backlog is sent page by page. True if some of it is left.
   */
  #pumpLive(): boolean {
    const { replica } = this.#context;
    const live = this.#streams.behind(replica.pos);
    if (live.length === 0 || !this.#hasCredit() || !this.#hasLiveCredit()) return false;
    const limit = this.#isBehind ? this.#pages.ofMessage : this.#pages.ofGroup;
    const found = replica.store.changes(Math.min(...live.map((s) => s.pos)), limit);
    const own = found.filter((document) => this.#isLive(document));
    // Chunks of blobs need not become visible together, and as a delta they can be resumed after a cut.
    const blobs = live.find(({ collection }) => collection === BLOBS_COLLECTION);
    if (blobs && own.some(({ collection }) => collection === BLOBS_COLLECTION) && this.#restart([blobs])) return true;
    const fits = this.#pages.isGroup(own);
    const isCaughtUp = found.length < limit && fits;
    const isGroup = fits && (isCaughtUp || own.length < found.length);
    if (!isGroup && this.#restart(live)) return true;
    const page = isGroup ? found : this.#pages.cutChanges(found);
    this.#isBehind = !isGroup;
    const group = page.flatMap((document) => this.#unsent(document));
    const pos = isCaughtUp ? replica.pos : page.at(-1)!.pos;
    for (const stream of live) stream.pos = Math.max(stream.pos, pos);
    this.#sendVersions(group, { isGroup });
    this.#claims.plan();
    return !isCaughtUp;
  }

  /** Makes streams with a long backlog deltas again, except during a comparison of live sets, whose answers wait for the backlog. */
  #restart(streams: readonly OutStream[]): boolean {
    const { replica } = this.#context;
    const free = streams.filter(({ liveSet }) => liveSet === undefined);
    for (const stream of free) {
      stream.restart(replica.collection(stream.collection), replica.pos, replica.store.liveReplicas(stream.collection));
      this.#streams.hasWork(stream);
    }
    return free.length > 0;
  }

  #unsent(document: StoredDocument): RemoteVersion[] {
    return this.#isLive(document) ? this.#streams.get(document.collection)!.unknownOf(document, this.#echo) : [];
  }

  /** Whether the document's stream is live and has not passed its position. */
  #isLive({ collection, pos }: StoredDocument): boolean {
    const stream = this.#streams.get(collection);
    return stream?.phase === 'live' && pos > stream.pos;
  }

  #sendVersions(versions: readonly RemoteVersion[], options: SendOptions = {}): void {
    this.#batches.send(versions, options);
    this.#claims.sent(versions.length);
  }

  /** R5: begins to compare live sets, to find what a delta cannot tell the peer. */
  #compare(stream: OutStream): void {
    stream.liveSet = new LiveSetAnswers(this.#context, stream.collection, ++this.#exchanges);
    this.#streams.hasWork(stream);
  }

  /** R5: one step of a running comparison. Answers wait until all earlier changes were streamed. */
  #pumpLiveSet(stream: OutStream): boolean {
    const { liveSet } = stream;
    if (liveSet === undefined || stream.pos < this.#context.replica.pos) return false;
    const answered = liveSet.answer();
    if (answered === 'last') this.#claims.concludeComparison(stream, liveSet);
    return answered !== 'none';
  }

  /** Receipts: what the peer says it knows of this node's writes, in present and former lives. `isWhole`: it knows nothing else. */
  #confirm(collection: CollectionName, knowledge: Knowledge, isWhole: boolean): void {
    const { id } = this.#context.replica;
    for (const replica of this.#context.replica.ownIds()) {
      const seq = knowledge.get(replica)?.seq ?? (isWhole && replica === id ? 0 : undefined);
      if (seq !== undefined) this.#context.event({ kind: 'confirmed', collection, replica, seq });
    }
  }
}
