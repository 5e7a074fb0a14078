/** How a channel ends: once, and told to its owner in a later turn, also where the owner listens only afterwards. */
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

  /** False: it had ended before, and the reason is the one that was given then. */
  reach(reason: string): boolean {
    if (this.isReached) return false;
    this.#reason = reason;
    if (this.#listener !== undefined) this.#tell();
    return true;
  }

  /** Later, so that nobody is called back from within its own call of `close` or `send`. */
  #tell(): void {
    queueMicrotask(() => this.listener(this.#reason!));
  }
}
