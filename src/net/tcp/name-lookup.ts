import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../../core/clock/index.ts';

/** An answer that came later than this, ms, is kept for a while. */
const LATE_MS = 1000;
const KEPT_MS_MAX = 30_000;

type Answer = readonly [error: NodeJS.ErrnoException | null, addresses: string | LookupAddress[], family?: number];
type Callback = (...answer: Answer) => void;
type Resolve = (name: string, options: LookupOptions, callback: Callback) => void;

/**
 * Looks names up for dials, each name once at a time. A slow name server can need longer than a dial may take: then the next dial
 * takes over the lookup that is under way, and an answer that came between two dials is kept for as long as it took. So such a
 * peer is reached nevertheless, and lookups, of which few run at the same time, do not pile up.
 */
export class NameLookup {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #resolve: Resolve;
  readonly #waiting = new Map<string, Callback[]>();
  /** Late answers. Those that are too old go with the next answer, so there are never more than names were asked within that time. */
  readonly #kept = new Map<string, { readonly answer: Answer; readonly until: number }>();

  /** `resolve`: for tests. Default: that of the system. */
  constructor(clock: Pick<Clock, 'monotonic'>, resolve: Resolve = lookup as Resolve) {
    this.#clock = clock;
    this.#resolve = resolve;
  }

  /** For `net.connect`. */
  readonly lookup: LookupFunction = (name, options, callback) => {
    const id = `${name} ${options.family} ${options.hints} ${options.all}`;
    const kept = this.#keptAnswer(id);
    if (kept !== undefined) return queueMicrotask(() => (callback as Callback)(...kept));
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return void waiting.push(callback as Callback);
    this.#waiting.set(id, [callback as Callback]);
    const askedAt = this.#clock.monotonic();
    this.#resolve(name, options, (...answer) => this.#answered(id, askedAt, answer));
  };

  #answered(id: string, askedAt: number, answer: Answer): void {
    const now = this.#clock.monotonic();
    const tookMs = now - askedAt;
    for (const [other, { until }] of this.#kept) if (until <= now) this.#kept.delete(other);
    if (answer[0] === null && tookMs > LATE_MS)
      this.#kept.set(id, { answer, until: now + Math.min(tookMs, KEPT_MS_MAX) });
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    for (const callback of waiting) callback(...answer);
  }

  #keptAnswer(id: string): Answer | undefined {
    const kept = this.#kept.get(id);
    return kept !== undefined && kept.until > this.#clock.monotonic() ? kept.answer : undefined;
  }
}
