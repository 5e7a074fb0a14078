import type { CollectionName } from '../core/ids/index.ts';
import { PEER_SAID_GOODBYE } from '../core/replication/index.ts';
import type { Knowledge } from '../core/version/index.ts';
import type { GoodbyeReason, HelloMessage, Message, VersionsMessage } from '../net/messages/index.ts';
import { DefinitionExchange } from './definition-exchange.ts';
import type { SessionEffect, SessionInput } from './effects.ts';
import { Receiver } from './receiver/index.ts';
import { Sender } from './sender/index.ts';
import { SessionContext, type SessionDeps } from './session-context.ts';

/** Versions of the protocol that this release speaks. */
export const PROTOCOL: { readonly min: number; readonly max: number } = { min: 1, max: 1 };

/** Whether there is a version of the protocol that both ends speak. */
export function speaksWith({ protocol }: HelloMessage): boolean {
  return protocol.min <= PROTOCOL.max && protocol.max >= PROTOCOL.min;
}

/** A pong that took longer than this is not used to compare clocks. */
const CLOCK_ROUND_TRIP_MS_MAX = 2000;
/** While summaries ask the peer often enough, a ping only compares the clocks, which drift slowly, ms. */
const CLOCK_INTERVAL_MS = 30_000;
/** A timer that fires this much too late, ms, means that this process did not run. */
const OWN_SLEEP_MS_MIN = 1000;

/** How much both directions of a session hold in memory. */
export interface StreamLoad {
  /** Bytes of versions sent and not yet acknowledged. */
  readonly unackedBytes: number;
  readonly echoes: number;
  /** Questions of running comparisons that wait for their answer. */
  readonly questions: number;
  /** Bytes of versions of an incomplete live group. */
  readonly groupBytes: number;
  /** Versions that running comparisons have yet to ask about. */
  readonly unasked: number;
}

/**
 * One end of a connection between two nodes, as a state machine: `step` takes what happened and returns what to do. It reads
 * the replica synchronously and never waits, so that the simulator and real nodes run the same code (R4–R9).
 *
 *   opening ──hello──▶ open ──close──▶ closed
 *                       │
 *       Receiver: summary → differ ← want → versions* ← ranges … ← claim → ack
 *       Sender:   the same seen from the other end; both run at the same time, independently
 */
export class Session {
  readonly #context: SessionContext;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #definitions: DefinitionExchange;
  #phase: 'opening' | 'open' | 'closed' = 'opening';
  #lastHeardMs = 0;
  #nextClockMs = 0;
  #pingNonce = 0;
  #pingSentMs = 0;
  /** By how much the peer's wall clock was last found to be ahead. */
  #wallOffsetMs = 0;

  constructor(deps: SessionDeps) {
    this.#context = new SessionContext(deps);
    this.#sender = new Sender(this.#context);
    this.#receiver = new Receiver(this.#context, this);
    this.#definitions = new DefinitionExchange(this.#context);
  }

  get phase(): 'opening' | 'open' | 'closed' {
    return this.#phase;
  }

  get peer(): HelloMessage | undefined {
    return this.#context.peer;
  }

  get load(): StreamLoad {
    return { ...this.#sender.load, ...this.#receiver.load };
  }

  /** Monotonic time, ms, of the latest moment for the next `tick`. */
  get nextWakeMs(): number {
    if (this.#phase === 'closed') return Number.POSITIVE_INFINITY;
    const silence = this.#lastHeardMs + this.#context.deps.times.peerSilenceMsMax;
    if (this.#phase === 'opening') return silence;
    return Math.min(silence, this.#nextPingMs, this.#sender.nextWakeMs, this.#receiver.nextWakeMs);
  }

  /** A summary asks for an answer as well, so a ping is due only when neither was sent for a while. */
  get #nextPingMs(): number {
    const askedMs = Math.max(this.#pingSentMs, this.#receiver.askedMs);
    return Math.min(this.#nextClockMs, askedMs + this.#context.deps.times.pingIntervalMs);
  }

  step(input: SessionInput, nowMs: number): SessionEffect[] {
    if (this.#phase === 'closed') return [];
    this.#context.nowMs = nowMs;
    if (input.kind === 'open') this.#open();
    else if (input.kind === 'message') this.#hear(input.message);
    else if (this.#phase === 'open' && input.kind === 'committed') this.#sender.committed();
    else if (this.#phase === 'open' && input.kind === 'ping') this.#ping();
    else if (this.#phase === 'open' && input.kind === 'defined') this.#definitions.defined();
    else if (input.kind === 'tick') this.#tick(input.isReceiving ?? false);
    if (this.#phase === 'open') this.#pump(input.kind === 'committed');
    return this.#finish();
  }

  /** After a commit, which may be its own, a claim that drops much waits; otherwise it would never leave a turn to others. */
  #pump(isCommitted: boolean): void {
    const isAdopting = isCommitted ? this.#receiver.isAdopting : this.#receiver.pump();
    if (this.#sender.pump() || isAdopting) this.#context.effect({ kind: 'again' });
  }

  /** Digests of the collections that both ends want and that have any history here. */
  sharedDigests(): ReadonlyMap<CollectionName, Uint8Array> {
    return this.#context.sharedDigests();
  }

  /** The connection is gone: gives back what the session held. */
  close(): void {
    this.#phase = 'closed';
    this.#receiver.close();
  }

  /** An effect that ends the session also closes this state machine: nothing is sent after it. */
  #finish(): SessionEffect[] {
    const effects = this.#context.takeEffects();
    if (effects.length === 0) return effects;
    const end = effects.findIndex((e) => e.kind === 'close' || e.kind === 'forked');
    if (end < 0) return effects;
    this.close();
    return effects.slice(0, end + 1);
  }

  /**
   * R9: the greeting leaves at once, and so does the evidence of a fork (`SessionRunner.sendFork`), although a new id of this node may not be
   * durable yet. If a crash takes that id back, I5 holds: all that rests on the new life, such as writes, knowledge and acknowledgements,
   * comes after its commit and has not left; ids are random, so the next life has another one; what a peer keeps under the id (receipts, the
   * name of a node) counts no more once this node greets with another one. The evidence stays true: the twin is there, and hears
   * of it even if this node returns to the old id, which it then leaves again.
   */
  #open(): void {
    this.#lastHeardMs = this.#context.nowMs;
    this.#context.send({ ...this.#context.deps.hello(), wallMs: this.#context.deps.wallMs() });
  }

  #hear(message: Message): void {
    this.#lastHeardMs = this.#context.nowMs;
    if (message.kind === 'goodbye') return this.#end(message.reason, PEER_SAID_GOODBYE);
    if (this.#phase === 'opening') {
      if (message.kind === 'hello') this.#meet(message);
      else this.#end('protocol', `the first message was ${message.kind}, not hello`);
      return;
    }
    this.#route(message);
  }

  #route(message: Exclude<Message, { kind: 'goodbye' }>): void {
    switch (message.kind) {
      case 'hello':
        return this.#end('protocol', 'a second hello');
      case 'definitions':
        return this.#definitions.heard(message);
      case 'summary':
        return this.#receiver.compared(message.digest, this.#sender.summary(message));
      case 'differ':
        return this.#receiver.differ(message);
      case 'want':
        return this.#sender.want(message);
      case 'versions':
        return this.#hearVersions(message);
      case 'ranges':
        return this.#receiver.ranges(message);
      case 'narrow':
      case 'fetch':
      case 'check':
        return this.#sender.ask(message);
      case 'missing':
        return this.#receiver.missing(message);
      case 'claim':
        this.#receiver.claim(message);
        return this.#sender.peerClaimed(message);
      case 'ack':
        return this.#sender.ack(message);
      case 'fork':
        return this.#hearFork(message);
      case 'ended':
        return this.#hearEnds(message.ends);
      case 'verify':
        return this.#context.event({ kind: 'verify-asked', nonce: message.nonce, digest: message.digest });
      case 'verified':
        return this.#context.event({ kind: 'verified', nonce: message.nonce, sums: message.sums });
      case 'ping':
        return this.#hearPing(message.nonce, message.wallMs);
      case 'pong':
        if (message.nonce === this.#pingNonce) this.#hearPong(message.wallMs);
        return;
      default:
        return message satisfies never;
    }
  }

  /**
   * A node whose clock was set pings its peers. Then this end compares soon as well, since what a ping says may have been under
   * way for long.
   */
  #hearPing(nonce: number, theirMs: number): void {
    const wallMs = this.#context.deps.wallMs();
    this.#context.send({ kind: 'pong', nonce, wallMs });
    const isSet = Math.abs(theirMs - wallMs - this.#wallOffsetMs) > CLOCK_ROUND_TRIP_MS_MAX;
    const soonMs = this.#pingSentMs + this.#context.deps.times.pingIntervalMs;
    if (isSet) this.#nextClockMs = Math.min(this.#nextClockMs, soonMs);
  }

  /** A comparison of clocks may be wrong by half of the round trip, so a pong that took long is not used for it. */
  #hearPong(wallMs: number): void {
    const ms = this.#context.nowMs - this.#pingSentMs;
    this.#context.event({ kind: 'round-trip', ms });
    if (ms > CLOCK_ROUND_TRIP_MS_MAX) return;
    this.#wallOffsetMs = Math.round(wallMs + ms / 2 - this.#context.deps.wallMs());
    this.#context.event({ kind: 'clock', wallOffsetMs: this.#wallOffsetMs });
  }

  #meet(hello: HelloMessage): void {
    const { deps } = this.#context;
    this.#context.peer = hello;
    if (!speaksWith(hello))
      return this.#end(
        'protocol',
        `the peer speaks protocol ${hello.protocol.min} to ${hello.protocol.max}, this node ${PROTOCOL.min} to ${PROTOCOL.max}`,
      );
    if (hello.replica === deps.replica.id) {
      const proof = { replica: hello.replica, seq: 0, theirs: null, ours: null, why: 'twin' } as const;
      return this.#context.effect({ kind: 'forked', proof });
    }
    this.#phase = 'open';
    this.#nextClockMs = this.#context.nowMs + deps.times.pingIntervalMs;
    this.#wallOffsetMs = hello.wallMs - deps.wallMs();
    this.#context.event({ kind: 'opened', hello, wallOffsetMs: this.#wallOffsetMs });
    this.#definitions.defined();
    this.#tellEnds();
    this.#sender.opened();
    this.#receiver.sendSummary(true);
  }

  #hearVersions(message: VersionsMessage): void {
    const pos = this.#context.replica.pos;
    this.#sender.peerSent(message);
    this.#receiver.versions(message);
    this.#sender.passOver(pos);
  }

  /** R9 by third parties: if two lives share this node's own id, this node is one of the two. */
  #hearFork(fork: Extract<Message, { kind: 'fork' }>): void {
    const { replica } = this.#context;
    if (fork.replica !== replica.id) return this.#context.effect({ kind: 'evidence', fork });
    const foreign = fork.checks.find((check) => !replica.isOwnHistory(fork.seq, check));
    if (foreign === undefined) return;
    this.#context.effect({
      kind: 'forked',
      proof: { replica: replica.id, seq: fork.seq, theirs: foreign, ours: null, why: 'other-check' },
    });
  }

  /** R9: a twin that still has the id of a former life of this node learns of it. A life whose end is not durable may go on. */
  #tellEnds(): void {
    const ends = this.#context.replica.ownEnds();
    if (ends.size > 0) this.#context.sendDurable({ kind: 'ended', ends });
  }

  /** R9: if another node's life with this node's own id ended at a point that is not in the history here, this node is its twin. */
  #hearEnds(ends: Knowledge): void {
    const { replica } = this.#context;
    const own = ends.get(replica.id);
    const isTwin = own?.check != null && !replica.isOwnHistory(own.seq, own.check);
    if (!isTwin) return this.#context.effect({ kind: 'ends', ends });
    const proof = { replica: replica.id, seq: own.seq, theirs: own.check, ours: null, why: 'other-check' } as const;
    this.#context.effect({ kind: 'forked', proof });
  }

  /** On a slow network, one message can take longer than a peer may be silent: the parts of it that arrive count as well. */
  #tick(isReceiving: boolean): void {
    const { nowMs, deps } = this.#context;
    if (isReceiving) this.#lastHeardMs = nowMs;
    this.#forgiveOwnSleep();
    if (nowMs >= this.#lastHeardMs + deps.times.peerSilenceMsMax) return this.#end('other', 'the peer fell silent');
    if (this.#phase !== 'open') return;
    this.#receiver.tick();
    if (nowMs >= this.#nextPingMs) this.#ping();
  }

  /** This process slept, not the peer, whose messages may be waiting: the peer gets time to answer a ping. */
  #forgiveOwnSleep(): void {
    const { nowMs, deps } = this.#context;
    const { pingIntervalMs, peerSilenceMsMax } = deps.times;
    const dueMs = this.#phase === 'open' ? this.#nextPingMs : this.#lastHeardMs + peerSilenceMsMax;
    if (nowMs - dueMs < OWN_SLEEP_MS_MIN) return;
    this.#lastHeardMs = Math.max(this.#lastHeardMs, nowMs + pingIntervalMs + OWN_SLEEP_MS_MIN - peerSilenceMsMax);
  }

  #ping(): void {
    const { nowMs, deps } = this.#context;
    this.#nextClockMs = nowMs + CLOCK_INTERVAL_MS;
    this.#pingSentMs = nowMs;
    this.#context.send({ kind: 'ping', nonce: ++this.#pingNonce, wallMs: deps.wallMs() });
  }

  #end(reason: GoodbyeReason, text: string): void {
    this.#context.effect({ kind: 'close', reason, text });
  }
}
