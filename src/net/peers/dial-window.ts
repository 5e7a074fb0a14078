import { isEntglDbError } from '../../core/errors/index.ts';

/** The smallest window: stopped peers, whose systems still accept connections, must not hold up the others. */
const WINDOW_MIN = 4;

/**
 * How many peers may be dialled at the same time. A handshake that times out has cost both ends its work. If that happens for lack
 * of processor time, the same number of new handshakes would time out again, for ever. So each peer that accepts the connection
 * but does not answer in time halves the window, and each that answers makes it one larger (as in TCP, RFC 5681).
 */
export class DialWindow {
  readonly #max: number;
  #size: number;

  /** `max` is the initial and the largest size. */
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

/** Whether a peer accepted the connection but did not complete the handshake in time. Of several addresses, the last counts. */
function isKeptWaiting(error: unknown): boolean {
  const last = isEntglDbError(error, 'CONNECT_FAILED') ? error.cause : error;
  return isEntglDbError(last, 'TIMED_OUT') && last.details.isConnected === true;
}
