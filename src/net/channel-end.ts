/** The end of a channel. It happens once; the owner is told in a later microtask, even if it starts to listen only afterwards. */
export class ChannelEnd {
  #reason: string | undefined;
  #listener: ((reason: string) => void) | undefined;

  get isReached(): boolean {
    return this.#reason !== undefined;
  }

  get listener(): (reason: string) => void {
    return this.#listener ?? (() => {});
  }

  set listener(listener: (reason: string) => void) {
    const isFirst = this.#listener === undefined;
    this.#listener = listener;
    if (isFirst && this.isReached) this.#tell();
  }

  /** Returns false if the channel had already ended; the first reason stays. */
  reach(reason: string): boolean {
    if (this.isReached) return false;
    this.#reason = reason;
    if (this.#listener !== undefined) this.#tell();
    return true;
  }

  /** Deferred, so that no caller is called back from within its own `close` or `send`. */
  #tell(): void {
    queueMicrotask(() => this.listener(this.#reason!));
  }
}
