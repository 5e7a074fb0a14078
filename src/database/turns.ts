import { PersistenceError } from '../core/errors/index.ts';

/** Runs work on the same thing one after another. At most `waitingMax` wait in all; beyond that, WRITE_QUEUE_FULL. */
export class Turns {
  readonly #waitingMax: number;
  readonly #last = new Map<string, Promise<void>>();
  #waiting = 0;

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  async run<T>(thing: string, work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax) throw tooMany(this.#waitingMax);
    const before = this.#last.get(thing);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(thing, promise);
    this.#waiting++;
    try {
      await before;
    } finally {
      this.#waiting--;
    }
    try {
      return await work();
    } finally {
      if (this.#last.get(thing) === promise) this.#last.delete(thing);
      resolve();
    }
  }
}

function tooMany(max: number): PersistenceError {
  return new PersistenceError(
    'WRITE_QUEUE_FULL',
    `${max} updates wait for others of the same documents (Limits.writeQueueMax); await some of them first`,
    { details: { writeQueueMax: max } },
  );
}
