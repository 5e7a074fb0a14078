import { type Clock, LoopShare, sleep, TURN_MS } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { NetworkError, PersistenceError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { isSameFingerprint } from '../../core/version/index.ts';
import type { Replica } from '../../database/replica/index.ts';
import type { CollectionSum } from '../../net/messages/index.ts';
import { type CollectionCount, sumCollection } from '../../resilience/index.ts';
import type { Damage } from '../../store/index.ts';
import { knowledgeDigest, type SessionEvent } from '../../sync/index.ts';

/** The part of a `SessionRunner` that the comparison needs. */
export interface VerifiedSession {
  readonly isOpen: boolean;
  readonly channel: { readonly peerKey: string };
  readonly peer: { readonly node: string } | undefined;
  sharedCollections(): CollectionName[];
  askVerify(nonce: number): void;
  answerVerify(nonce: number, theirs: Uint8Array, sums: readonly CollectionSum[]): void;
}

export interface EqualityDeps {
  readonly replica: Replica;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly soon: (run: () => void) => void;
  readonly sessions: () => readonly VerifiedSession[];
  readonly commitPending: () => void;
  /** Rows of this node do not match its sums: R11 repairs them. */
  readonly onDamage: (damage: Damage) => void;
  /** Both know the same but hold something different, and this look found no wrong row here: read and check everything. */
  readonly onDifferent: () => void;
}

/**
 * - `equal`: readers see the same on both nodes, siblings included.
 * - `behind`: one node knows writes that the other does not know yet, or something changed during the comparison. Sync ends it.
 * - `different`: both know the same but hold something different, three times in a row; or rows of one are damaged, which are
 *   repaired automatically.
 * - `unanswered`: the peer left or did not answer in time, or runs an older release.
 */
export type EqualityVerdict = 'equal' | 'behind' | 'different' | 'unanswered';

/** The result for one collection. */
export interface CollectionEquality {
  readonly collection: string;
  readonly verdict: EqualityVerdict;
  /** Versions that readers see on this node, each sibling counted; null if not counted. */
  readonly ours: number | null;
  /** The same on the peer. */
  readonly theirs: number | null;
}
/** The result of comparing with one peer. */
export interface PeerEquality {
  readonly node: string;
  readonly deviceKey: string;
  readonly collections: readonly CollectionEquality[];
}

interface Question {
  readonly session: VerifiedSession;
  readonly answer: (sums: readonly CollectionSum[] | null | undefined) => void;
}

const TRIES_MAX = 3;

/**
 * Compares what this node and its peers hold (I1). Each node first counts its rows again, because sums that are only kept up to
 * date miss rows that vanished. Then one digest travels, and sums of each collection only if it differs.
 */
export class Equality {
  readonly #deps: EqualityDeps;
  readonly #questions = new Map<number, Question>();
  readonly #counts = new Map<CollectionName, { readonly count: CollectionCount; readonly atMs: number }>();
  readonly #answering = new Set<VerifiedSession>();
  /** How many collections were `different` in the newest comparison with each peer. */
  readonly #different = new Map<string, number>();
  readonly #stopping = new AbortController();
  #nonce = 0;
  #cancelTimer: () => void = () => {};

  constructor(deps: EqualityDeps) {
    this.#deps = deps;
  }

  /** How many collections differ from a peer's although both know the same; anything above 0 is an alarm. */
  get different(): number {
    let count = 0;
    for (const each of this.#different.values()) count += each;
    return count;
  }

  /** Begins to compare with all connected peers at intervals. */
  start(): void {
    this.#cancelTimer = this.#deps.clock.setTimer(TIMES.verifyIntervalMs, () => {
      this.verify()
        .catch((error: unknown) => this.#deps.logger.warn({ err: error }, 'the comparison with peers failed'))
        .finally(() => {
          if (!this.#stopping.signal.aborted) this.start();
        });
    });
  }

  stop(): void {
    this.#cancelTimer();
    this.#stopping.abort(new PersistenceError('DATABASE_CLOSED', 'the database is closed; open it again'));
    for (const { answer } of [...this.#questions.values()]) answer(undefined);
  }

  /**
   * Compares with the connected peers, or with one, given by human name or device key. Rejects with NETWORK_ERROR /
   * NODE_UNREACHABLE if that one is not connected, and with the signal's reason if it aborts.
   */
  async verify(node?: string, options: { readonly signal?: AbortSignal } = {}): Promise<PeerEquality[]> {
    const signals = [this.#stopping.signal, ...(options.signal === undefined ? [] : [options.signal])];
    const signal = AbortSignal.any(signals);
    signal.throwIfAborted();
    this.#deps.commitPending();
    const sessions = this.#deps
      .sessions()
      .filter(({ channel, peer }) => node === undefined || peer?.node === node || channel.peerKey === node);
    if (node !== undefined && sessions.length === 0)
      throw new NetworkError(
        'NODE_UNREACHABLE',
        `no connected peer has the name or device key ${JSON.stringify(node)}; \`peers\` lists them`,
      );
    const results: PeerEquality[] = [];
    for (const session of sessions) results.push(await this.#verifyPeer(session, signal));
    return results;
  }

  /** Something happened in a session. */
  followed(event: SessionEvent, session: VerifiedSession): void {
    if (event.kind === 'verify-asked') void this.#answer(session, event.nonce, event.digest);
    if (event.kind === 'verified') {
      const question = this.#questions.get(event.nonce);
      if (question?.session === session) question.answer(event.sums);
    }
  }

  /** A session with the peer has ended: nobody answers what was asked in it. */
  left(deviceKey: string): void {
    for (const { session, answer } of [...this.#questions.values()])
      if (session.channel.peerKey === deviceKey && !session.isOpen) answer(undefined);
  }

  /** Answers a peer, one question at a time, and reads rows for that at most once in `verifyRecountMs`. */
  async #answer(session: VerifiedSession, nonce: number, digest: Uint8Array): Promise<void> {
    if (this.#answering.has(session) || this.#stopping.signal.aborted) return;
    this.#answering.add(session);
    try {
      this.#deps.commitPending();
      const names = session.sharedCollections();
      await this.#countAll(names, TIMES.verifyRecountMs, this.#stopping.signal);
      const sums = await this.#sums(names, this.#stopping.signal);
      session.answerVerify(nonce, digest, sums);
      this.#reportDamage(sums);
    } catch (error) {
      this.#deps.logger.warn({ err: error, peer: session.peer?.node }, 'a comparison asked for by a peer failed');
    } finally {
      this.#answering.delete(session);
    }
  }

  async #verifyPeer(session: VerifiedSession, signal: AbortSignal): Promise<PeerEquality> {
    const { node } = session.peer!;
    const deviceKey = session.channel.peerKey;
    for (let tries = 1; ; tries++) {
      const names = session.sharedCollections();
      await this.#countAll(names, tries === 1 ? 0 : TIMES.verifyRecountMs, signal);
      const theirs = await this.#ask(session, signal);
      const ours = await this.#sums(names, signal);
      const collections = compare(ours, theirs);
      const isDamaged = [...ours, ...(theirs ?? [])].some(({ damaged }) => damaged);
      this.#reportDamage(ours);
      const different = collections.filter(({ verdict }) => verdict === 'different');
      if (different.length === 0 || isDamaged || tries === TRIES_MAX) {
        this.#different.set(deviceKey, different.length);
        if (different.length === 0) this.#different.delete(deviceKey);
        else this.#alarm(node, different, isDamaged);
        return { node, deviceKey, collections };
      }
      // A version may have arrived before its claim; a round of sync ends that.
      await sleep(this.#deps.clock, TIMES.verifyRepeatMs, signal);
    }
  }

  #alarm(node: string, different: readonly CollectionEquality[], isDamaged: boolean): void {
    this.#deps.logger.error({ peer: node, different }, 'this node and a peer know the same and hold something else');
    if (!isDamaged) this.#deps.onDifferent();
  }

  /** Asks a peer for its sums. Null: the digests are equal; undefined: no answer. */
  #ask(session: VerifiedSession, signal: AbortSignal): Promise<readonly CollectionSum[] | null | undefined> {
    if (!session.isOpen) return Promise.resolve(undefined);
    const nonce = ++this.#nonce;
    const { promise, resolve, reject } = Promise.withResolvers<readonly CollectionSum[] | null | undefined>();
    const abort = (): void => reject(signal.reason);
    const cancel = this.#deps.clock.setTimer(TIMES.verifyAnswerMsMax, () => resolve(undefined));
    signal.addEventListener('abort', abort, { once: true });
    this.#questions.set(nonce, { session, answer: resolve });
    session.askVerify(nonce);
    return promise.finally(() => {
      cancel();
      signal.removeEventListener('abort', abort);
      this.#questions.delete(nonce);
    });
  }

  async #countAll(names: readonly CollectionName[], ageMsMax: number, signal: AbortSignal): Promise<void> {
    const share = this.#share();
    for (const name of names) {
      await share.pause();
      await this.#count(name, ageMsMax, signal);
    }
  }

  async #count(name: CollectionName, ageMsMax: number, signal: AbortSignal): Promise<void> {
    const { replica, clock, soon } = this.#deps;
    const held = this.#counts.get(name);
    if (held !== undefined && clock.monotonic() - held.atMs < ageMsMax) return;
    const count = await sumCollection(replica, name, soon, signal);
    if (count === undefined) this.#counts.delete(name);
    else this.#counts.set(name, { count, atMs: clock.monotonic() });
  }

  /**
   * The sums of collections, each of the moment at which it is made: a verdict rests on one collection. Other work has its turn in
   * between, since there may be thousands.
   */
  async #sums(names: readonly CollectionName[], signal: AbortSignal): Promise<CollectionSum[]> {
    const share = this.#share();
    const sums: CollectionSum[] = [];
    for (const name of names) {
      await share.pause();
      signal.throwIfAborted();
      sums.push(this.#sum(name));
    }
    return sums;
  }

  #share(): LoopShare {
    return new LoopShare({ ...this.#deps, shareMs: TURN_MS });
  }

  /** The sums of a collection. A count of an earlier state of the collection is not used. */
  #sum(name: CollectionName): CollectionSum {
    const state = this.#deps.replica.collection(name);
    const count = this.#counts.get(name)?.count;
    const isCurrent = count?.state === state;
    return {
      collection: name,
      knowledge: knowledgeDigest(state),
      fingerprint: isCurrent ? count.visible : null,
      damaged: isCurrent && count.damage.length > 0,
    };
  }

  #reportDamage(sums: readonly CollectionSum[]): void {
    for (const { collection, damaged } of sums)
      if (damaged) for (const damage of this.#counts.get(collection)?.count.damage ?? []) this.#deps.onDamage(damage);
  }
}

function compare(
  ours: readonly CollectionSum[],
  theirs: readonly CollectionSum[] | null | undefined,
): CollectionEquality[] {
  const their = new Map((theirs ?? []).map((sum) => [sum.collection, sum]));
  return ours.map((sum) => {
    const other = their.get(sum.collection);
    const verdict = verdictOf(sum, other, theirs);
    const count = sum.fingerprint?.count ?? null;
    return {
      collection: sum.collection,
      verdict,
      ours: count,
      theirs: verdict === 'equal' ? count : (other?.fingerprint?.count ?? null),
    };
  });
}

function verdictOf(
  ours: CollectionSum,
  other: CollectionSum | undefined,
  answer: readonly CollectionSum[] | null | undefined,
): EqualityVerdict {
  if (answer === undefined) return 'unanswered';
  if (ours.damaged || other?.damaged) return 'different';
  if (answer === null) return 'equal';
  if (!other || Buffer.compare(ours.knowledge, other.knowledge) !== 0) return 'behind';
  if (ours.fingerprint === null || other.fingerprint === null) return 'behind';
  return isSameFingerprint(ours.fingerprint, other.fingerprint) ? 'equal' : 'different';
}
