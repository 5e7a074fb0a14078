import type { Clock } from '../../core/clock/index.ts';
import { DialWindow } from './dial-window.ts';

/** A dial unanswered for this long, ms, gives up its place but goes on: in a LAN, a peer that is there answers sooner. */
const SILENT_MS = 500;
/** All dials together, silent ones included, are at most this many times the places, because each has a socket. */
const SILENT_FACTOR = 8;

interface Dial {
  readonly startedAt: number;
  isAnswered: boolean;
}

/**
 * How many peers are dialled at the same time. A handshake costs both ends, so the window bounds how many are under way. A
 * dial without an answer costs almost nothing, and a thousand of them must not keep a node from the one peer that is there.
 */
export class DialPlaces {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #window: DialWindow;
  readonly #dialsMax: number;
  readonly #dials = new Set<Dial>();

  constructor(placesMax: number, clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#window = new DialWindow(placesMax);
    this.#dialsMax = placesMax * SILENT_FACTOR;
  }

  /** Monotonic time, ms, at which another dial may begin: `now` or later. Infinite: only when a dial under way has ended. */
  freeAt(now: number): number {
    if (this.#dials.size >= this.#dialsMax) return Number.POSITIVE_INFINITY;
    let taken = 0;
    let freeAt = Number.POSITIVE_INFINITY;
    for (const { startedAt, isAnswered } of this.#dials) {
      const silentAt = isAnswered ? Number.POSITIVE_INFINITY : startedAt + SILENT_MS;
      if (silentAt <= now) continue;
      taken++;
      freeAt = Math.min(freeAt, silentAt);
    }
    return taken < this.#window.size ? now : freeAt;
  }

  /** Runs a dial. The caller has asked `freeAt` whether there is a place for it. */
  async run<T>(dial: (onAnswer: () => void) => Promise<T>): Promise<T> {
    const place: Dial = { startedAt: this.#clock.monotonic(), isAnswered: false };
    this.#dials.add(place);
    try {
      const result = await dial(() => {
        place.isAnswered = true;
      });
      this.#window.answered();
      return result;
    } catch (error) {
      this.#window.failed(error);
      throw error;
    } finally {
      this.#dials.delete(place);
    }
  }
}
