import type { ClaimedCollection } from '../../net/messages/index.ts';
import { claimsInMessages } from '../in-messages.ts';
import type { SyncCollection } from '../replica-port.ts';
import type { SessionContext } from '../session-context.ts';
import { ClaimSchedule } from './claim-schedule.ts';
import type { LiveSetAnswers } from './live-set-answers.ts';
import type { OutStream } from './out-stream.ts';
import type { OutStreams } from './out-streams.ts';

/** R4 and R8 at the sender: claims to the peer what this end knows, for each stream that has nothing unsent. */
export class Claims {
  readonly #context: SessionContext;
  readonly #streams: OutStreams;
  readonly #schedule: ClaimSchedule;

  constructor(context: SessionContext, streams: OutStreams) {
    this.#context = context;
    this.#streams = streams;
    this.#schedule = new ClaimSchedule(context.deps.times);
  }

  get nextWakeMs(): number {
    return this.#schedule.nextWakeMs;
  }

  get isPlanned(): boolean {
    return this.#schedule.isPlanned;
  }

  /** There is something to claim soon. */
  plan(): void {
    this.#schedule.plan(this.#context.nowMs);
  }

  /** Something was committed here. Even knowledge alone needs a claim. */
  committed(): void {
    this.#schedule.committed();
  }

  sent(versions: number): void {
    this.#schedule.sent(versions);
  }

  /** Plans a claim if something was committed that the peer does not know. */
  look(): void {
    const { replica, nowMs } = this.#context;
    if (!this.#schedule.takeLook(nowMs)) return;
    for (const stream of this.#streams.all())
      if (stream.hasUnclaimed(replica.collection(stream.collection))) return this.plan();
  }

  /**
   * Makes the claims of all streams that have sent everything: immediately if their round is open, otherwise once a claim is due.
   * `toCompare`: streams for which the peer must compare live sets first.
   */
  pump(): { readonly hasClaimed: boolean; readonly toCompare: readonly OutStream[] } {
    const { replica, nowMs, deps } = this.#context;
    const isDue = this.#schedule.isDue(nowMs);
    const claims: ClaimedCollection[] = [];
    const toCompare: OutStream[] = [];
    for (const stream of isDue ? this.#streams.all() : this.#streams.working()) {
      if (stream.phase !== 'live' || stream.pos < replica.pos || stream.liveSet !== undefined) continue;
      const state = replica.collection(stream.collection);
      if (!stream.isRoundOpen && (!isDue || stream.claimed?.revision === state.revision)) continue;
      if (stream.isDeltaEnough(state)) claims.push(this.#claim(stream, state));
      else toCompare.push(stream);
    }
    if (isDue) this.#schedule.claimed();
    for (const collections of claimsInMessages(claims, deps.limits))
      this.#context.sendDurable({ kind: 'claim', collections });
    return { hasClaimed: claims.length > 0, toCompare };
  }

  /** R5: the claim after a comparison. The comparison stays open until the peer says that it has adopted the claim. */
  concludeComparison(stream: OutStream, liveSet: LiveSetAnswers): void {
    const { collection } = stream;
    const { knowledge, exchange } = liveSet;
    const { purged, revision } = this.#context.replica.collection(collection);
    liveSet.claimedLine = purged;
    const claimed: ClaimedCollection = { collection, knowledge, purged, exchange, complete: true };
    this.#context.sendDurable({ kind: 'claim', collections: [claimed] });
    stream.peerKnows(knowledge);
    // The claim says what was known when the comparison began: an older revision leaves the rest to the next claim.
    stream.conclude({ knowledge, purged, revision: revision - 1 });
  }

  #claim(stream: OutStream, state: SyncCollection): ClaimedCollection {
    const { knowledge, purged } = stream.unclaimed(
      state,
      this.#context.peer!.replica,
      this.#context.told.get(stream.collection),
    );
    const complete = stream.isRoundOpen;
    stream.peerKnows(knowledge);
    stream.conclude(state);
    return { collection: stream.collection, knowledge, purged, exchange: 0, complete };
  }
}
