import type { Clock } from '../../core/clock/index.ts';
import type { RetryPolicy } from '../../core/retry/index.ts';
import type { Channel, Transport } from '../transport.ts';
import { roundOver } from './dial-backoff.ts';
import { DialPlaces } from './dial-places.ts';
import { inTurn } from './dial-turns.ts';
import { raceDial } from './race-dial.ts';
import type { Target } from './target.ts';

export interface DialRoundsDeps {
  readonly transport: Pick<Transport, 'dial'>;
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  /** Whether the target should be dialled; called before each round. */
  readonly isWanted: (target: Target) => boolean;
  /** Whether there is already a link to the target, whoever dialled. */
  readonly isLinked: (target: Target) => boolean;
  readonly onChannel: (target: Target, channel: Channel) => void;
  readonly onFailure: (target: Target, error: unknown) => void;
  /** A round has ended and left its place to others. */
  readonly onOver: () => void;
}

/**
 * Rounds of dialling that are under way: one at a time for each target, with as many dials as there are places. The retry
 * policy repeats failed dials within a round. An aborted round reports neither success nor failure.
 */
export class DialRounds {
  readonly #deps: DialRoundsDeps;
  readonly #running = new Set<Promise<void>>();
  readonly #places: DialPlaces;
  /** Whether a target waits for a place. */
  #isCrowded = false;

  constructor(dialsMax: number, deps: DialRoundsDeps) {
    this.#deps = deps;
    this.#places = new DialPlaces(dialsMax, deps.clock);
  }

  /** Begins a round for each due target, in turn, as long as there are places. Returns when to call again, monotonic ms. */
  begin(due: readonly Target[]): number {
    const now = this.#deps.clock.monotonic();
    this.#isCrowded = false;
    for (const target of inTurn(due)) {
      const freeAt = this.#places.freeAt(now);
      if (freeAt > now) {
        this.#isCrowded = true;
        return freeAt;
      }
      if (this.#deps.isWanted(target)) this.#start(target);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Resolves when no round is under way. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #start(target: Target): void {
    const { clock, onOver } = this.#deps;
    const round = new AbortController();
    target.round = round;
    target.attempts++;
    target.sinceMs = clock.now();
    const running = this.#run(target, round).finally(() => {
      this.#running.delete(running);
      if (target.round === round) target.round = undefined;
      onOver();
    });
    this.#running.add(running);
  }

  async #run(target: Target, round: AbortController): Promise<void> {
    const { retry, isLinked, onChannel, onFailure } = this.#deps;
    const { signal } = round;
    try {
      const channel = await retry.execute(
        (attempt, given) => {
          if (attempt > 1 && isLinked(target)) round.abort(new Error('linked already'));
          given?.throwIfAborted();
          return this.#dial(target, given);
        },
        'TCP Connect',
        { signal },
      );
      if (signal.aborted) channel.close('duplicate');
      else onChannel(target, channel);
    } catch (error) {
      if (!signal.aborted) onFailure(target, error);
    }
  }

  #dial({ addresses }: Target, signal: AbortSignal | undefined): Promise<Channel> {
    const { transport, clock } = this.#deps;
    const dial = this.#places.run((onAnswer) => raceDial(transport, addresses, clock, { signal, onAnswer }));
    return dial.catch((error) => Promise.reject(this.#isCrowded ? roundOver(error) : error));
  }
}
