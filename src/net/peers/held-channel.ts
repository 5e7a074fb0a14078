import type { Address, Channel } from '../transport.ts';

/** How many frames are kept while nobody listens yet. A peer sends its greeting and waits; one that sends more is closed. */
const HELD_FRAMES_MAX = 16;

/**
 * A channel as its later owner sees it, watched by the supervisor. Frames wait until `release`. Whoever closes the channel,
 * and whenever, the owner is told first and the supervisor after it.
 */
export class HeldChannel implements Channel {
  readonly #inner: Channel;
  readonly #held: Uint8Array[] = [];
  #isReleased = false;
  #isClosed = false;
  onFrame: (frame: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onClose: (reason: string) => void = () => {};

  constructor(inner: Channel, onEnd: (reason: string) => void) {
    this.#inner = inner;
    inner.onFrame = (frame) => this.#receive(frame);
    inner.onDrain = () => this.onDrain();
    inner.onClose = (reason) => {
      this.#isClosed = true;
      this.onClose(reason);
      onEnd(reason);
    };
  }

  get peerKey(): string {
    return this.#inner.peerKey;
  }

  get ownKey(): string {
    return this.#inner.ownKey;
  }

  get remote(): Address {
    return this.#inner.remote;
  }

  get dialled(): boolean {
    return this.#inner.dialled;
  }

  get bytesSent(): number {
    return this.#inner.bytesSent;
  }

  get bytesReceived(): number {
    return this.#inner.bytesReceived;
  }

  send(frame: Uint8Array): boolean {
    return this.#inner.send(frame);
  }

  close(reason?: string): void {
    this.#inner.close(reason);
  }

  /** Call when the owner has set its handlers: delivers the frames that have waited, in order. */
  release(): void {
    this.#isReleased = true;
    for (const frame of this.#held.splice(0)) if (!this.#isClosed) this.onFrame(frame);
  }

  #receive(frame: Uint8Array): void {
    if (this.#isReleased) return this.onFrame(frame);
    if (this.#held.length >= HELD_FRAMES_MAX) return this.close('protocol');
    this.#held.push(frame);
  }
}
