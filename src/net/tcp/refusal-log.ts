import type { Clock } from '../../core/clock/index.ts';
import { type Limits, TIMES } from '../../core/config/index.ts';
import type { Logger } from '../../core/logging/index.ts';

export type RefusalLimits = Pick<Limits, 'refusalAddressesMax' | 'refusalLinesPerMinuteMax'>;

const MINUTE_MS = 60_000;

/**
 * Says once per address, and then not again for ten minutes, that a connection was refused: a scanner, a wrong token or an
 * old release must not fill a disk, nor may many addresses. What is left unsaid is counted and said the next time.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: RefusalLimits;
  /** When each host was last named, oldest first. */
  readonly #saidAtByHost = new Map<string, number>();
  #minuteFrom = Number.NEGATIVE_INFINITY;
  #linesInMinute = 0;
  #unsaid = 0;

  constructor(clock: Clock, logger: Logger, limits: RefusalLimits) {
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = limits;
  }

  /** `why` ends a sentence such as "a connection was refused:". */
  report(host: string, why: string): void {
    const now = this.#clock.monotonic();
    const saidAt = this.#saidAtByHost.get(host) ?? Number.NEGATIVE_INFINITY;
    if (now - saidAt < TIMES.refusalLogIntervalMs || !this.#hasLine(now)) {
      this.#unsaid++;
      return;
    }
    this.#logger.warn({ host, why, unsaidBefore: this.#unsaid }, 'a connection was refused');
    this.#unsaid = 0;
    this.#remember(host, now);
  }

  #hasLine(now: number): boolean {
    if (now - this.#minuteFrom >= MINUTE_MS) {
      this.#minuteFrom = now;
      this.#linesInMinute = 0;
    }
    return ++this.#linesInMinute <= this.#limits.refusalLinesPerMinuteMax;
  }

  #remember(host: string, now: number): void {
    this.#saidAtByHost.delete(host);
    this.#saidAtByHost.set(host, now);
    if (this.#saidAtByHost.size <= this.#limits.refusalAddressesMax) return;
    this.#saidAtByHost.delete(this.#saidAtByHost.keys().next().value!);
  }
}
