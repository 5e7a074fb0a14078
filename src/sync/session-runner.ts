import { type Clock, TURN_MS } from '../core/clock/index.ts';
import { isEntglDbError, messageOf } from '../core/errors/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import { type ForkProof, OWN_FAILURE } from '../core/replication/index.ts';
import type { ForkEvidence, Knowledge } from '../core/version/index.ts';
import type { Channel } from '../net/index.ts';
import type { CollectionSum, GoodbyeReason, HelloMessage, Message } from '../net/messages/index.ts';
import type { SessionEffect, SessionEvent, SessionInput } from './effects.ts';
import { Session, type StreamLoad } from './session.ts';
import type { SessionDeps } from './session-context.ts';
import { isSameDigest, sessionDigest } from './summary.ts';

/** Most bytes of frames that may wait to be processed; credit keeps an honest peer far below this. */
const INBOX_BYTES_MAX = 64 * 1024 * 1024;
/** After a frame that took this long, ms, the next one waits for another turn of the event loop. */
const FRAME_MS = TURN_MS / 2;
/** Most acknowledgements to hold back while more messages wait to be processed: each one sent costs as much as some documents. */
const ACKS_HELD_MAX = 8;

/** Turns messages into frames and back; one per session. */
export interface SessionCodec {
  encode(message: Message): Uint8Array;
  /** Undefined for a message of a kind that this release does not know. Throws SyncError MESSAGE_INVALID. */
  decode(frame: Uint8Array): Message | undefined;
}

export interface SessionRunnerDeps extends SessionDeps {
  readonly channel: Channel;
  readonly codec: SessionCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Calls `run` after other work had its turn. */
  readonly soon: (run: () => void) => void;
  /** Resolves when everything committed now is durable. */
  readonly flush: () => Promise<void>;
  /** How many commits are durable. */
  readonly durableCommits: () => number;
  readonly onEvent: (event: SessionEvent, runner: SessionRunner) => void;
  readonly onForked: (proof: ForkProof, runner: SessionRunner) => void;
  readonly onEvidence: (fork: ForkEvidence, runner: SessionRunner) => void;
  readonly onEnds: (ends: Knowledge, runner: SessionRunner) => void;
  /** The store reported damaged data (R11), or something else failed while working for this peer. */
  readonly onFailure: (error: unknown, runner: SessionRunner) => void;
  readonly onClose: (reason: string, runner: SessionRunner) => void;
}

interface Outgoing {
  readonly message: Message;
  readonly afterCommits: number;
}

/** What a session holds in memory. */
export interface SessionLoad extends StreamLoad {
  readonly outboxMessages: number;
  readonly inboxBytes: number;
}

/** The shell of a session: performs its effects on a channel, and feeds it frames, commits and time. */
export class SessionRunner {
  readonly #deps: SessionRunnerDeps;
  readonly #session: Session;
  /** Messages that wait, in order, until what they rest on is durable. */
  readonly #outbox: Outgoing[] = [];
  readonly #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  /** What the channel had received at the last frame or tick. */
  #bytesSeen = 0;
  #isInboxScheduled = false;
  #isPumpScheduled = false;
  #isFlushing = false;
  #cancelTimer: () => void = () => {};
  #timerMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(deps: SessionRunnerDeps) {
    this.#deps = deps;
    this.#session = new Session(deps);
    deps.channel.onFrame = (frame) => this.#receive(frame);
    deps.channel.onDrain = () => {};
    deps.channel.onClose = (reason) => this.#closed(reason);
  }

  get channel(): Channel {
    return this.#deps.channel;
  }

  get peer(): HelloMessage | undefined {
    return this.#session.peer;
  }

  get isOpen(): boolean {
    return this.#session.phase === 'open';
  }

  /** How much the session holds in memory; each part is bounded (I7). */
  get load(): SessionLoad {
    return { ...this.#session.load, outboxMessages: this.#outbox.length, inboxBytes: this.#inboxBytes };
  }

  start(): void {
    this.#step({ kind: 'open' });
  }

  /** Something was committed here. */
  committed(): void {
    if (this.isOpen) this.#schedulePump('committed');
  }

  /** A turn of the round gate became free. */
  wake(): void {
    if (this.isOpen) this.#tick();
  }

  /** Compares clocks with the peer now instead of at the next ping. */
  ping(): void {
    if (this.isOpen) this.#step({ kind: 'ping' });
  }

  /** The program of this node has defined a collection. */
  defined(): void {
    if (this.isOpen) this.#step({ kind: 'defined' });
  }

  sendFork(fork: ForkEvidence): void {
    if (this.isOpen) this.#transmit({ kind: 'fork', ...fork });
  }

  /** R9: says where lives ended of a node that is not this one. The session says it of this node. */
  sendEnds(ends: Knowledge): void {
    if (this.isOpen) this.#transmit({ kind: 'ended', ends });
  }

  /** Collections that both ends want and that have any history here. */
  sharedCollections(): CollectionName[] {
    return this.isOpen ? [...this.#session.sharedDigests().keys()] : [];
  }

  /** Asks the peer whether both hold the same. The event `verified` is the answer. */
  askVerify(nonce: number): void {
    if (this.isOpen) this.#transmit({ kind: 'verify', nonce, digest: sessionDigest(this.#session.sharedDigests()) });
  }

  /** Answers `verify-asked`: briefly if the digests are equal and no row is damaged, otherwise with as much as one message holds. */
  answerVerify(nonce: number, theirs: Uint8Array, sums: readonly CollectionSum[]): void {
    if (!this.isOpen) return;
    const isEqual = isSameDigest(theirs, sessionDigest(this.#session.sharedDigests()));
    const isSound = sums.every(({ damaged }) => !damaged);
    // The asking end treats omitted collections as ones where one of the two is behind.
    const said = sums.slice(0, this.#deps.limits.messageEntriesMax - 2);
    this.#transmit({ kind: 'verified', nonce, sums: isEqual && isSound ? null : said });
  }

  /** Says goodbye and closes; `onClose` follows. Idempotent. */
  close(reason: GoodbyeReason, text: string = reason): void {
    if (this.#isClosed) return;
    this.#transmit({ kind: 'goodbye', reason });
    this.#session.close();
    this.#deps.channel.close(text);
    this.#closed(text);
  }

  #receive(frame: Uint8Array): void {
    if (this.#isClosed) return;
    this.#bytesSeen = this.#deps.channel.bytesReceived;
    this.#inbox.push(frame);
    this.#inboxBytes += frame.length;
    if (this.#inboxBytes > INBOX_BYTES_MAX) return this.close('protocol', 'the peer sends more than it may');
    if (!this.#isInboxScheduled) this.#work();
  }

  /** One frame per turn, so that a flood lets local work in between; short frames that arrive together share a turn. */
  #work(): void {
    this.#isInboxScheduled = false;
    const frame = this.#inbox.shift();
    if (frame === undefined || this.#isClosed) return;
    this.#inboxBytes -= frame.length;
    if (this.#inbox.length > 0) this.#scheduleInbox();
    const startedMs = this.#deps.clock.monotonic();
    try {
      const message = this.#deps.codec.decode(frame);
      if (message === undefined) this.#drain();
      else this.#step({ kind: 'message', message });
    } catch (error) {
      this.#fail(error);
    }
    if (this.#inbox.length > 0 || this.#deps.clock.monotonic() - startedMs >= FRAME_MS) this.#scheduleInbox();
  }

  #scheduleInbox(): void {
    if (this.#isInboxScheduled) return;
    this.#isInboxScheduled = true;
    this.#deps.soon(() => this.#work());
  }

  /**
   * After a commit, the pump runs as soon as the commit's own step is over, once for all commits of a burst. A pump that has
   * more to do lets other work in between.
   */
  #schedulePump(kind: 'committed' | 'pump'): void {
    if (this.#isPumpScheduled) return;
    this.#isPumpScheduled = true;
    const run = (): void => {
      this.#isPumpScheduled = false;
      this.#step({ kind });
    };
    if (kind === 'committed') queueMicrotask(run);
    else this.#deps.soon(run);
  }

  #step(input: SessionInput): void {
    if (this.#isClosed) return;
    let effects: SessionEffect[];
    try {
      effects = this.#session.step(input, this.#deps.clock.monotonic());
    } catch (error) {
      return this.#fail(error);
    }
    for (const effect of effects) this.#perform(effect);
    this.#drain();
    this.#arm();
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#outbox.push(effect);
        return;
      case 'again':
        return this.#schedulePump('pump');
      case 'close':
        return this.close(effect.reason, effect.text);
      case 'forked':
        return this.#deps.onForked(effect.proof, this);
      case 'evidence':
        return this.#deps.onEvidence(effect.fork, this);
      case 'ends':
        return this.#deps.onEnds(effect.ends, this);
      case 'event':
        return this.#deps.onEvent(effect.event, this);
      default:
        return effect satisfies never;
    }
  }

  #drain(): void {
    while (this.#outbox.length > 0 && !this.#isClosed && !this.#areAcksHeld()) {
      if (!this.#isDurable(this.#outbox[0]!)) return this.#flush();
      const { message } = this.#outbox.shift()!;
      if (!this.#isCoveredByNext(message)) this.#transmit(message);
    }
  }

  /** Whether to hold acknowledgements back: nothing else waits in the outbox, and the inbox will add more. */
  #areAcksHeld(): boolean {
    if (this.#inbox.length === 0 || this.#outbox.length >= ACKS_HELD_MAX) return false;
    return this.#outbox.every(({ message }) => message.kind === 'ack');
  }

  /** An acknowledgement covers all earlier ones, so one before another need not be sent. */
  #isCoveredByNext({ kind }: Message): boolean {
    const next = this.#outbox[0];
    return kind === 'ack' && next?.message.kind === 'ack' && this.#isDurable(next);
  }

  #isDurable({ afterCommits }: Outgoing): boolean {
    return afterCommits <= this.#deps.durableCommits();
  }

  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    this.#deps.flush().then(
      () => {
        this.#isFlushing = false;
        this.#drain();
      },
      (error) => {
        this.#isFlushing = false;
        this.#fail(error);
      },
    );
  }

  #transmit(message: Message): void {
    if (this.#isClosed) return;
    try {
      this.#deps.channel.send(this.#deps.codec.encode(message));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.#deps.onFailure(error, this);
    if (isEntglDbError(error, 'SYNC_ERROR')) this.close('protocol', messageOf(error));
    else this.close('other', `${OWN_FAILURE}: ${messageOf(error)}`);
  }

  /** Keeps one timer, armed for the session's next wake. */
  #arm(): void {
    if (this.#isClosed) return;
    const wakeMs = this.#session.nextWakeMs;
    if (wakeMs === this.#timerMs) return;
    this.#cancelTimer();
    this.#timerMs = wakeMs;
    if (wakeMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, wakeMs - this.#deps.clock.monotonic());
    this.#cancelTimer = this.#deps.clock.setTimer(delayMs, () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#tick();
    });
  }

  #tick(): void {
    const { bytesReceived } = this.#deps.channel;
    const isReceiving = bytesReceived > this.#bytesSeen;
    this.#bytesSeen = bytesReceived;
    this.#step({ kind: 'tick', isReceiving });
  }

  #closed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelTimer();
    this.#session.close();
    this.#outbox.length = 0;
    this.#inbox.length = 0;
    this.#deps.onClose(reason, this);
  }
}
