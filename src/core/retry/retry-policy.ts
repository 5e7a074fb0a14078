import { type Clock, sleep } from '../clock/index.ts';
import { NetworkError } from '../errors/index.ts';
import type { Random } from '../ids/index.ts';
import { type Logger, silentLogger } from '../logging/index.ts';
import { guardCallers, guardMethods, type OptionNames, rejecting } from '../options/index.ts';
import { fullJitterMs } from './backoff.ts';
import { isTransient } from './is-transient.ts';

const ATTEMPTS_MAX = 1000;
const DELAY_MS_MAX = 24 * 3600 * 1000;

export interface RetryPolicyOptions {
  /** Logs each attempt at debug, each retry at warn, and exhausted retries at error. Default: silent. */
  readonly logger?: Logger;
  /** Number of attempts, including the first: 1 to 1,000. Default 3. */
  readonly maxAttempts?: number;
  /** Longest delay before the second attempt, ms: 0 to a day. It doubles with each further attempt. Default 1,000. */
  readonly delayMs?: number;
  /** Upper limit of every delay, ms: 0 to a day. Default 30,000. */
  readonly delayMsMax?: number;
}

export interface RetryPolicyDeps {
  readonly clock: Clock;
  readonly random: Random;
}

export interface ExecuteOptions {
  /** Ends the delay and further attempts; it is also handed to the operation. */
  readonly signal?: AbortSignal;
}

/**
 * Retries an operation while its failures are transient: network and timeout errors. The delay before attempt n + 1 is
 * random between 0 and `delayMs` × 2^(n-1), capped at `delayMsMax`. A policy keeps no state between calls and may run any
 * number at the same time. Options out of range throw a RangeError.
 */
export class RetryPolicy {
  /** Longest delay, ms. */
  readonly delayMsMax: number;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #random: Random;
  #maxAttempts: number;
  #delayMs: number;

  constructor(options: RetryPolicyOptions & RetryPolicyDeps) {
    this.#maxAttempts = checkAttempts(options.maxAttempts ?? 3);
    this.#delayMs = checkRange('delayMs', options.delayMs ?? 1000, 0, DELAY_MS_MAX);
    this.delayMsMax = checkRange('delayMsMax', options.delayMsMax ?? 30_000, 0, DELAY_MS_MAX);
    this.#logger = options.logger ?? silentLogger;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Attempts in all, including the first. */
  get maxAttempts(): number {
    return this.#maxAttempts;
  }

  /** Delay before the second attempt, ms. */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** Changes the options from the next attempt on, also for calls under way. Values out of range throw a RangeError. */
  adjust({ maxAttempts, delayMs }: { readonly maxAttempts: number; readonly delayMs: number }): void {
    this.#maxAttempts = checkAttempts(maxAttempts);
    this.#delayMs = checkRange('delayMs', delayMs, 0, DELAY_MS_MAX);
  }

  /**
   * Resolves with the result of `operation(attempt, signal)`; attempts count from 1. `name` appears in logs and errors.
   *
   * Rejects with what the operation threw if that is not transient; with a NetworkError RETRIES_EXHAUSTED after the last
   * attempt, with the last failure as its `cause`; with `signal.reason` if the signal aborts. The signal ends a delay
   * immediately, is handed to the operation, and prevents further attempts. An operation that succeeds nevertheless counts.
   */
  async execute<T>(
    operation: (attempt: number, signal: AbortSignal | undefined) => T | PromiseLike<T>,
    name: string,
    options: ExecuteOptions = {},
  ): Promise<T> {
    const { signal } = options;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      this.#logger.debug({ operation: name, attempt, maxAttempts: this.maxAttempts }, 'attempt');
      try {
        return await operation(attempt, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isTransient(error)) throw error;
        if (attempt >= this.maxAttempts) throw this.#exhausted(name, error);
        await this.#pause(name, attempt, error, signal);
      }
    }
  }

  #exhausted(name: string, error: unknown): NetworkError {
    this.#logger.error({ operation: name, attempts: this.maxAttempts, err: error }, 'retries exhausted');
    return new NetworkError(
      'RETRIES_EXHAUSTED',
      `${name} failed ${this.maxAttempts} times, last with: ${(error as Error).message}`,
      { details: { operation: name, attempts: this.maxAttempts }, cause: error },
    );
  }

  #pause(name: string, attempt: number, error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const delayMs = Math.round(fullJitterMs(this.#random, attempt, this.delayMs, this.delayMsMax));
    this.#logger.warn({ operation: name, attempt, delayMs, err: error }, 'attempt failed, will retry');
    return sleep(this.#clock, delayMs, signal);
  }
}

function checkAttempts(value: number): number {
  if (Number.isInteger(checkRange('maxAttempts', value, 1, ATTEMPTS_MAX))) return value;
  throw new RangeError('maxAttempts must be a whole number');
}

function checkRange(name: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw new RangeError(`${name} is ${value}; give ${min} to ${max}`);
}

const EXECUTE: OptionNames<ExecuteOptions> = { signal: true };

guardMethods(RetryPolicy.prototype, { execute: rejecting(2, EXECUTE) });
guardCallers(RetryPolicy.prototype, { execute: 'rejects' });
