import { type Clock, sleep } from '../../core/clock/index.ts';
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

/** One session as the comparison needs it; a `SessionRunner` is one. */
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
  /** Own rows do not fit: R11 mends them. */
  readonly onDamage: (damage: Damage) => void;
  /** Both know the same, hold something else, and no own row is found wrong at this first look: read everything. */
  readonly onDifferent: () => void;
}

/**
 * - `equal`: readers see the same on both nodes, siblings included.
 * - `behind`: one knows writes that the other does not yet, or something changed during the comparison. Sync ends it.
 * - `different`: both know the same and hold something else, three times in a row; or rows of one are damaged, which mends itself.
 * - `unanswered`: the peer did not answer in time, or speaks an older release.
 */
export type EqualityVerdict = 'equal' | 'behind' | 'different' | 'unanswered';

export interface CollectionEquality {
  readonly collection: string;
  readonly verdict: EqualityVerdict;
  /** Versions that readers see here, siblings counted each; null where that was not counted. */
  readonly ours: number | null;
  readonly theirs: number | null;
}

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
 * Whether this node and its peers hold the same (I1). Each first counts its own rows anew, since rows that vanished are in no
 * sum that is only kept up to date; then one digest travels, and sums of each collection only where it differs.
 */
export class Equality {
  readonly #deps: EqualityDeps;
  readonly #questions = new Map<number, Question>();
  readonly #counts = new Map<CollectionName, { readonly count: CollectionCount; readonly atMs: number }>();
  readonly #answering = new Set<VerifiedSession>();
  /** Verdicts `different` of the newest comparison with each peer. */
  readonly #different = new Map<string, number>();
  readonly #stopping = new AbortController();
  #nonce = 0;
  #cancelTimer: () => void = () => {};

  constructor(deps: EqualityDeps) {
    this.#deps = deps;
  }

  /** Collections that differ from a peer's though both know the same: zero, or an alarm. */
  get different(): number {
    let count = 0;
    for (const each of this.#different.values()) count += each;
    return count;
  }

  /** Compares with all connected peers now and then. */
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
   * Compares with the connected peers, or with one by human name or device key. NETWORK_ERROR / NODE_UNREACHABLE when that one
   * is not connected. The signal ends it; the call rejects with its reason.
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
      throw new NetworkError('NODE_UNREACHABLE', `no peer ${JSON.stringify(node)} is connected; see peers()`);
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

  /** One peer is answered once at a time, and rows are read for it at most once in `verifyRecountMs`. */
  async #answer(session: VerifiedSession, nonce: number, digest: Uint8Array): Promise<void> {
    if (this.#answering.has(session) || this.#stopping.signal.aborted) return;
    this.#answering.add(session);
    try {
      this.#deps.commitPending();
      const names = session.sharedCollections();
      for (const name of names) await this.#count(name, TIMES.verifyRecountMs, this.#stopping.signal);
      session.answerVerify(
        nonce,
        digest,
        names.map((name) => this.#sum(name)),
      );
      for (const name of names) this.#reportDamage(name);
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
      for (const name of names) await this.#count(name, tries === 1 ? 0 : TIMES.verifyRecountMs, signal);
      const theirs = await this.#ask(session, signal);
      const collections = this.#compare(names, theirs);
      const isDamaged =
        names.some((name) => this.#sum(name).damaged) || theirs?.some(({ damaged }) => damaged) === true;
      for (const name of names) this.#reportDamage(name);
      const different = collections.filter(({ verdict }) => verdict === 'different');
      if (different.length === 0 || isDamaged || tries === TRIES_MAX) {
        this.#different.set(deviceKey, different.length);
        if (different.length === 0) this.#different.delete(deviceKey);
        else this.#alarm(node, different, isDamaged);
        return { node, deviceKey, collections };
      }
      // A version may be here and its claim not yet: a round of sync ends that.
      await sleep(this.#deps.clock, TIMES.verifyRepeatMs, signal);
    }
  }

  #alarm(node: string, different: readonly CollectionEquality[], isDamaged: boolean): void {
    this.#deps.logger.error({ peer: node, different }, 'this node and a peer know the same and hold something else');
    if (!isDamaged) this.#deps.onDifferent();
  }

  #compare(
    names: readonly CollectionName[],
    theirs: readonly CollectionSum[] | null | undefined,
  ): CollectionEquality[] {
    const their = new Map((theirs ?? []).map((sum) => [sum.collection, sum]));
    return names.map((name) => {
      const ours = this.#sum(name);
      const other = their.get(name);
      const verdict = verdictOf(ours, other, theirs);
      const count = ours.fingerprint?.count ?? null;
      return {
        collection: name,
        verdict,
        ours: count,
        theirs: verdict === 'equal' ? count : (other?.fingerprint?.count ?? null),
      };
    });
  }

  /** Undefined: no answer. */
  #ask(session: VerifiedSession, signal: AbortSignal): Promise<readonly CollectionSum[] | null | undefined> {
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

  async #count(name: CollectionName, ageMsMax: number, signal: AbortSignal): Promise<void> {
    const { replica, clock, soon } = this.#deps;
    const held = this.#counts.get(name);
    if (held !== undefined && clock.monotonic() - held.atMs < ageMsMax) return;
    const count = await sumCollection(replica, name, soon, signal);
    if (count === undefined) this.#counts.delete(name);
    else this.#counts.set(name, { count, atMs: clock.monotonic() });
  }

  /** A count that was made of an earlier state of the collection says nothing of this one. */
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

  #reportDamage(name: CollectionName): void {
    if (!this.#sum(name).damaged) return;
    for (const damage of this.#counts.get(name)!.count.damage) this.#deps.onDamage(damage);
  }
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
