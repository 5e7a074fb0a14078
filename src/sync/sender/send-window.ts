/** Bytes under way before anything was confirmed: two messages. A fast network has the whole credit after a few round trips. */
const FIRST_BYTES = 256 * 1024;
/** Versions that are confirmed later than this, ms, have waited behind others: less should be under way. */
const LATE_MS = 3000;

/**
 * How many bytes of versions to have under way, so that they are confirmed within about three seconds, however slow the network or
 * the peer. What is written to other collections meanwhile is sent before the rest of a backlog, but waits for what is under way. The window doubles
 * with each round trip and is halved by each late confirmation (as in TCP, RFC 5681), down to one message at a time.
 */
export class SendWindow {
  #bytes = FIRST_BYTES;

  get bytes(): number {
    return this.#bytes;
  }

  /** Versions were confirmed `ms` after they were sent. The window does not grow beyond `bytesMax`. */
  confirmed(bytes: number, ms: number, bytesMax: number): void {
    if (ms > LATE_MS) this.#bytes = Math.max(1, Math.floor(this.#bytes / 2));
    else this.#bytes = Math.min(bytesMax, this.#bytes + bytes);
  }
}
