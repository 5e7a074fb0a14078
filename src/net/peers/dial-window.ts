import { isEntglDbError } from '../../core/errors/index.ts';

/** It does not become smaller: peers that are stopped, and accept connections all the same, must not hold up the others. */
const WINDOW_MIN = 4;

/**
 * How many peers may be dialled at the same time. A handshake that times out has cost both ends the work of it; where that happens
 * for want of processor time, as many new ones at once would only time out again, for ever. So the window is halved by each
 * peer that is there and does not get round to answering, and one larger after each that answers (as TCP does it, RFC 5681).
 */
export class DialWindow {
  readonly #max: number;
  #size: number;

  /** `max`: where it begins, and its bound. */
  constructor(max: number) {
    this.#max = max;
    this.#size = max;
  }

  get size(): number {
    return this.#size;
  }

  answered(): void {
    this.#size = Math.min(this.#max, this.#size + 1);
  }

  failed(error: unknown): void {
    if (isKeptWaiting(error)) this.#size = Math.min(this.#max, Math.max(WINDOW_MIN, Math.floor(this.#size / 2)));
  }
}

/** Somebody took the connection, and the handshake was not done in time; of several addresses, the last. */
function isKeptWaiting(error: unknown): boolean {
  const last = isEntglDbError(error, 'CONNECT_FAILED') ? error.cause : error;
  return isEntglDbError(last, 'TIMED_OUT') && last.details.isConnected === true;
}
