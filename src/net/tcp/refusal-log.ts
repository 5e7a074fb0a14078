import type { Clock } from '../../core/clock/index.ts';
import { type Limits, TIMES } from '../../core/config/index.ts';
import type { Logger } from '../../core/logging/index.ts';

export type RefusalLimits = Pick<Limits, 'refusalAddressesMax' | 'refusalLinesPerMinuteMax'>;

const MINUTE_MS = 60_000;

/**
 * Logs that a connection was refused, at most once in ten minutes per address and with a bounded number of lines per minute:
 * a scanner, a wrong token, an old release or many addresses must not fill a disk. Omitted lines are counted, and the next
 * line gives their number.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: RefusalLimits;
  /** When each host was last logged, oldest first. */
  readonly #saidAtByHost = new Map<string, number>();
  #minuteFrom = Number.NEGATIVE_INFINITY;
  #linesInMinute = 0;
  #unsaid = 0;

  constructor(clock: Clock, logger: Logger, limits: RefusalLimits) {
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = limits;
  }

  /** `why` completes the sentence "a connection was refused: …". */
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
