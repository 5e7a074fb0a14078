import type { Clock } from '../core/clock/index.ts';
import type { Limits } from '../core/config/index.ts';
import type { ReplicaId } from '../core/ids/index.ts';
import type { Logger } from '../core/logging/index.ts';
import type { ForkProof } from '../core/replication/index.ts';
import type { ForkEvidence, Knowledge, Known } from '../core/version/index.ts';
import type { Channel } from '../net/index.ts';
import type { GoodbyeReason, HelloMessage } from '../net/messages/index.ts';
import type { SessionEvent } from './effects.ts';
import { Hearsay } from './hearsay.ts';
import type { SyncReplica } from './replica-port.ts';
import { RoundGate } from './round-gate.ts';
import type { SessionDeps, SessionTimes } from './session-context.ts';
import { type SessionCodec, SessionRunner } from './session-runner.ts';
import { DigestCache } from './summary.ts';

/** A peer that stops making progress in a round loses its turn after this, ms. */
const ROUND_STALL_MS_MAX = 15_000;

export interface SyncHostDeps {
  readonly replica: SyncReplica;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly times: SessionTimes;
  readonly hello: () => HelloMessage;
  readonly definitions: SessionDeps['definitions'];
  readonly createCodec: () => SessionCodec;
  readonly soon: (run: () => void) => void;
  readonly flush: () => Promise<void>;
  readonly durableCommits: () => number;
  /** R9: take a new life. All sessions are already closed. */
  readonly onForked: (proof: ForkProof) => void;
  /** R9: two nodes write under one id, which is not this node's. `former`: this node is one of them, and has given the id up. */
  readonly onEvidence: (fork: ForkEvidence, whose: 'former' | 'others') => void;
  /** The store reported damaged data (R11), or something else failed while working for a peer. */
  readonly onFailure: (error: unknown, runner: SessionRunner) => void;
  readonly onEvent: (event: SessionEvent, runner: SessionRunner) => void;
  readonly onSessionClose: (reason: string, runner: SessionRunner) => void;
}

interface HeardEnd extends Known {
  readonly replica: ReplicaId;
}

/** All sessions of a node: starts one per channel, tells them of commits, ends them together when the identity changes. */
export class SyncHost {
  readonly #deps: SyncHostDeps;
  readonly #runners = new Set<SessionRunner>();
  readonly #gate = new RoundGate(ROUND_STALL_MS_MAX);
  readonly #digests = new DigestCache();
  readonly #forks = new Hearsay<ForkEvidence>(
    ({ replica, seq, checks }) => `${replica}:${seq}:${[...checks].sort().join()}`,
  );
  readonly #ends = new Hearsay<HeardEnd>(({ replica, seq, check }) => `${replica}:${seq}:${check}`);

  constructor(deps: SyncHostDeps) {
    this.#deps = deps;
    this.#gate.onFree(() => deps.soon(() => this.wakeAll()));
    deps.replica.onReload(() => this.closeAll('restored'));
  }

  sessions(): ReadonlySet<SessionRunner> {
    return this.#runners;
  }

  accept(channel: Channel): SessionRunner {
    const { onForked: _forked, onEvidence: _evidence, onFailure: _failure, ...deps } = this.#deps;
    const runner = new SessionRunner({
      ...deps,
      channel,
      codec: this.#deps.createCodec(),
      gate: this.#gate,
      digests: this.#digests,
      wallMs: () => this.#deps.clock.now(),
      onForked: (proof) => this.#forked(proof),
      onEvidence: (fork, from) => this.#evidence(fork, from),
      onEnds: (ends, from) => this.#heardEnds(ends, from),
      onEvent: (event, from) => {
        if (event.kind === 'opened') this.#tellTwin(from);
        this.#deps.onEvent(event, from);
      },
      onFailure: (error, failed) => this.#deps.onFailure(error, failed),
      onClose: (reason, closed) => {
        this.#runners.delete(closed);
        this.#deps.onSessionClose(reason, closed);
      },
    });
    this.#runners.add(runner);
    runner.start();
    return runner;
  }

  /** Something was committed here. */
  committed(): void {
    for (const runner of this.#runners) runner.committed();
  }

  /** Ends every session with a reason; peers discard what they believed about this node. */
  closeAll(reason: GoodbyeReason): void {
    for (const runner of [...this.#runners]) runner.close(reason);
  }

  /** The clock of this machine was set: every session compares clocks again. */
  pingAll(): void {
    for (const runner of this.#runners) runner.ping();
  }

  /** The program of this node has defined a collection. */
  defined(): void {
    for (const runner of this.#runners) runner.defined();
  }

  #forked(proof: ForkProof): void {
    this.closeAll('identity');
    this.#deps.onForked(proof);
  }

  /** Keeps new evidence and passes it on once: to everybody but its source, unless the fork is the source's own. */
  #evidence(fork: ForkEvidence, from: SessionRunner | undefined): void {
    if (!this.#forks.remember(fork)) return;
    this.#report(fork);
    for (const runner of this.#runners)
      if (runner !== from || fork.replica === runner.peer?.replica) runner.sendFork(fork);
  }

  /** A fork of a former life of this node that was found here was reported then. */
  #report(fork: ForkEvidence): void {
    const { replica, onEvidence } = this.#deps;
    if ([...replica.ownForks()].some((own) => own.replica === fork.replica)) return;
    onEvidence(fork, [...replica.ownIds()].includes(fork.replica) ? 'former' : 'others');
  }

  /**
   * Keeps where lives of other nodes ended, and passes that on to whoever has such an id: it decides whether it is a twin. Who
   * says it may not know of a twin that is known here.
   */
  #heardEnds(ends: Knowledge, from: SessionRunner): void {
    for (const [replica, known] of ends) {
      for (const fork of this.#forks.of(replica)) from.sendFork(fork);
      if (!this.#ends.remember({ replica, ...known })) continue;
      for (const runner of this.#runners)
        if (runner.peer?.replica === replica) runner.sendEnds(new Map([[replica, known]]));
    }
  }

  /** R9: tells a new peer about its own forks, about those of this node's former lives, and who gave up the peer's id. */
  #tellTwin(runner: SessionRunner): void {
    for (const fork of this.#deps.replica.ownForks()) runner.sendFork(fork);
    for (const fork of this.#forks.of(runner.peer?.replica)) runner.sendFork(fork);
    for (const { replica, seq, check } of this.#ends.of(runner.peer?.replica))
      runner.sendEnds(new Map([[replica, { seq, check }]]));
  }

  /** Makes every session look again at what it has to do and when. */
  wakeAll(): void {
    for (const runner of this.#runners) runner.wake();
  }
}
