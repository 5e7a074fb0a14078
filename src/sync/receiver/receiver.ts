import type { CollectionName } from '../../core/ids/index.ts';
import type { Reached, RemoteClaim, RemoteVersion } from '../../core/replication/index.ts';
import type {
  ClaimedCollection,
  ClaimMessage,
  DifferMessage,
  MissingMessage,
  RangesMessage,
  VersionsMessage,
} from '../../net/messages/index.ts';
import { inMessages } from '../in-messages.ts';
import type { SessionContext } from '../session-context.ts';
import { isSameDigest, sessionDigest } from '../summary.ts';
import { versionBytes } from '../version-size.ts';
import { GapSearch, holdsUnknown } from './gap-search.ts';
import { LiveSetComparison } from './live-set-comparison.ts';

/** The receiving direction of a session: asks for what is missing, applies what arrives, moves knowledge with claims. */
export class Receiver {
  readonly #context: SessionContext;
  /** The holder of turns at the gate, and the source of applied changes. */
  readonly #owner: object;
  /** Collections whose round is due, in the order in which the peer named them. */
  readonly #due = new Set<CollectionName>();
  /** Running rounds (a `want` was sent, no complete claim has come yet), and when each last made progress, monotonic ms. */
  readonly #running = new Map<CollectionName, number>();
  readonly #comparisons = new Map<CollectionName, LiveSetComparison>();
  readonly #gaps = new Map<CollectionName, GapSearch>();
  #group: RemoteVersion[] = [];
  #groupBytes = 0;
  #round = 0;
  /** Digest of this end's last summary. */
  #summarised: Uint8Array | undefined;
  /** Digest of the peer's last summary, if it was another one than this end's. */
  #unequal: Uint8Array | undefined;
  /** The two of them when the collections were last listed. */
  #listed: readonly [ours: Uint8Array, theirs: Uint8Array | undefined] | undefined;
  /** Monotonic time of the newest summary, ms. */
  #summaryMs: number | undefined;

  constructor(context: SessionContext, owner: object) {
    this.#context = context;
    this.#owner = owner;
  }

  get load(): { readonly groupBytes: number; readonly unasked: number } {
    let unasked = 0;
    for (const comparison of this.#comparisons.values()) unasked += comparison.unasked;
    return { groupBytes: this.#groupBytes, unasked };
  }

  /** When the next anti-entropy round is due, monotonic ms. */
  get nextWakeMs(): number {
    return this.#summaryMs === undefined ? 0 : this.#summaryMs + this.#context.deps.times.syncIntervalMs;
  }

  /** When the peer was last sent a summary, which it answers, monotonic ms; 0: never. */
  get askedMs(): number {
    return this.#summaryMs ?? 0;
  }

  /** The peer's summary was compared with this end's own; `isEqual` undefined: parts of it are still to come. */
  compared(digest: Uint8Array, isEqual: boolean | undefined): void {
    if (isEqual !== undefined) this.#unequal = isEqual ? undefined : digest;
  }

  /** R4: opens a round, at the start of a session with one digest per collection. */
  sendSummary(withCollections: boolean): void {
    const digests = this.#context.sharedDigests();
    const digest = sessionDigest(digests);
    const round = ++this.#round;
    const isListed = withCollections || this.#hidesEqual(digest);
    if (isListed) this.#listed = [digest, this.#unequal];
    this.#summarised = digest;
    const listed = isListed ? [...digests].map(([name, each]) => ({ collection: name, digest: each })) : [];
    const parts = [...inMessages(listed, this.#context.deps.limits)];
    // A peer that finds it equal counts everything as held here (receipts), so it must be durable before it is sent.
    for (const [i, collections] of parts.entries()) {
      const more = i + 1 < parts.length ? ({ more: true } as const) : {};
      this.#context.sendDurable({ kind: 'summary', round, digest, collections, ...more });
    }
    this.#summaryMs = this.#context.nowMs;
  }

  /**
   * A collection that differs for long, because the ends purged different tombstones, hides from receipts that others are equal.
   * So once nothing has moved here for a round, they are listed again.
   */
  #hidesEqual(digest: Uint8Array): boolean {
    const [ours, theirs] = this.#listed ?? [];
    const isListed = isSameDigest(digest, ours) && isSameDigest(this.#unequal, theirs);
    return this.#unequal !== undefined && isSameDigest(digest, this.#summarised) && !isListed;
  }

  tick(): void {
    if (this.#context.nowMs >= this.nextWakeMs) this.sendSummary(false);
    this.openRounds();
  }

  differ(message: DifferMessage): void {
    if (message.collections.length === 0 && message.busy !== true) this.#context.event({ kind: 'up-to-date' });
    for (const collection of message.collections) if (this.#context.isShared(collection)) this.#due.add(collection);
    this.openRounds();
  }

  /** Starts due rounds for which the gate gives a turn. */
  openRounds(): void {
    for (const collection of this.#due) {
      if (this.#areEnoughRunning()) return;
      if (!this.#context.deps.gate.enter(collection, this.#owner, this.#context.nowMs)) continue;
      this.#due.delete(collection);
      this.#running.set(collection, this.#context.nowMs);
      this.#comparisons.delete(collection);
      this.#gaps.delete(collection);
      const state = this.#context.replica.collection(collection);
      const { knowledge, fingerprint } = state;
      this.#context.told.set(collection, knowledge);
      const { replica: sender, startId } = this.#context.peer!;
      const points = this.#context.replica.resumePoints(sender, startId, collection);
      const resume = points.size === 0 ? {} : { resume: points };
      const gaps = points.size === 0 && holdsUnknown(this.#context, state) ? ({ gaps: true } as const) : {};
      this.#context.sendDurable({ kind: 'want', collection, knowledge, fingerprint, ...resume, ...gaps });
    }
  }

  /** A round without progress does not count, so that it does not hold up others. */
  #areEnoughRunning(): boolean {
    const { limits, times } = this.#context.deps;
    if (this.#running.size < limits.roundsMax) return false;
    let count = 0;
    for (const progressMs of this.#running.values())
      if (this.#context.nowMs - progressMs < times.syncIntervalMs) count++;
    return count >= limits.roundsMax;
  }

  /** Versions of one live group become visible together, in one commit. */
  versions(message: VersionsMessage): void {
    const { limits } = this.#context.deps;
    for (const version of message.versions) this.#groupBytes += versionBytes(version.key, version);
    const isWithinBounds =
      this.#groupBytes <= 2 * limits.liveGroupBytesMax && this.#group.length <= 2 * limits.liveGroupVersionsMax;
    if (message.more && isWithinBounds) {
      for (const version of message.versions) this.#group.push(version);
    } else {
      const versions = this.#group.length === 0 ? message.versions : [...this.#group, ...message.versions];
      this.#group = [];
      this.#groupBytes = 0;
      this.#apply(versions, [], this.#reached(message));
    }
    for (const { collection } of message.versions.slice(0, 1)) this.#progress(collection);
    this.#context.sendDurable({ kind: 'ack', batch: message.batch });
  }

  ranges(message: RangesMessage): void {
    if (message.gaps === true) return this.#gapRanges(message);
    let comparison = this.#comparisons.get(message.collection);
    if (comparison?.exchange !== message.exchange) {
      comparison = new LiveSetComparison(this.#context, message.collection, message.exchange);
      this.#comparisons.set(message.collection, comparison);
    }
    this.#progress(message.collection);
    comparison.ranges(message);
  }

  #gapRanges(message: RangesMessage): void {
    let search = this.#gaps.get(message.collection);
    if (search?.exchange !== message.exchange) {
      search = new GapSearch(this.#context, message.collection, message.exchange);
      this.#gaps.set(message.collection, search);
    }
    this.#progress(message.collection);
    search.ranges(message);
  }

  missing(message: MissingMessage): void {
    const comparison = this.#comparisons.get(message.collection);
    if (comparison?.exchange !== message.exchange) return;
    this.#progress(message.collection);
    comparison.missing(message);
  }

  claim(message: ClaimMessage): void {
    for (const claimed of message.collections) if (this.#context.isShared(claimed.collection)) this.#hearClaim(claimed);
  }

  /** Whether a claim after a comparison has arrived and is not adopted yet. */
  get isAdopting(): boolean {
    for (const { claimed } of this.#comparisons.values()) if (claimed !== undefined) return true;
    return false;
  }

  /** R5: one step of adopting a claim after a comparison. True if there is more to do now. */
  pump(): boolean {
    for (const comparison of this.#comparisons.values()) {
      const { claimed } = comparison;
      if (claimed === undefined) continue;
      this.#progress(claimed.collection);
      if (comparison.dropSlice(this.#owner)) return true;
      this.#adopt(claimed, comparison);
    }
    return false;
  }

  /** The session ends: gives its turns to others. */
  close(): void {
    this.#context.deps.gate.leaveAll(this.#owner);
  }

  #hearClaim(claimed: ClaimedCollection): void {
    const comparison = this.#comparisons.get(claimed.collection);
    if (claimed.exchange === 0) this.#adopt(claimed);
    else if (comparison?.exchange === claimed.exchange) comparison.claimed = claimed;
  }

  #adopt(claimed: ClaimedCollection, comparison?: LiveSetComparison): void {
    const { collection, knowledge, purged, exchange, complete } = claimed;
    const claim: RemoteClaim = { collection, knowledge, purged, liveSet: comparison?.verdict() };
    const outcome = this.#apply([], [claim]);
    if (outcome === 'unconfirmed') return;
    if (comparison !== undefined) {
      this.#comparisons.delete(collection);
      this.#context.send({ kind: 'check', collection, exchange, versions: [], last: true });
    }
    this.#context.event({ kind: 'claimed', collection, complete, reconciled: exchange !== 0 });
    if (complete) this.#conclude(collection);
  }

  #conclude(collection: CollectionName): void {
    this.#running.delete(collection);
    this.#gaps.delete(collection);
    this.#context.deps.gate.leave(collection, this.#owner);
    this.openRounds();
  }

  #progress(collection: CollectionName): void {
    if (!this.#running.has(collection)) return;
    this.#running.set(collection, this.#context.nowMs);
    this.#context.deps.gate.progress(collection, this.#owner, this.#context.nowMs);
  }

  /** R4: how far the stream has come with the last version of a message. */
  #reached({ reached, versions }: VersionsMessage): Reached | undefined {
    const last = versions.at(-1);
    if (reached === undefined || last === undefined) return undefined;
    const { replica: sender, startId } = this.#context.peer!;
    return { sender, startId, collection: last.collection, replica: last.replica, seq: reached };
  }

  #apply(
    versions: readonly RemoteVersion[],
    claims: readonly RemoteClaim[],
    reached?: Reached,
  ): 'applied' | 'unconfirmed' | 'forked' {
    const outcome = this.#context.replica.applyRemote(versions, claims, this.#owner, reached);
    if (outcome.kind === 'forked') this.#context.effect({ kind: 'forked', proof: outcome.proof });
    else if (outcome.kind === 'unconfirmed') this.#comparisons.get(outcome.collection)?.ask(outcome.versions);
    else {
      for (const fork of outcome.forks) this.#context.effect({ kind: 'evidence', fork });
      if (versions.length > 0)
        this.#context.event({ kind: 'received', versions: versions.length, applied: outcome.applied });
    }
    return outcome.kind;
  }
}
