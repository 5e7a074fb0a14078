/** Settles as the work does, unless the signal aborts first: then it rejects with the signal's reason, and the work goes on. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The items of a source. When the signal aborts, the loop ends with its reason. The source is then told to end, but not awaited. */
export async function* abortableItems<T>(
  source: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void> {
  if (signal === undefined) return yield* source;
  const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await abortable(Promise.resolve(items.next()), signal);
      isOver = done === true;
      if (isOver) return;
      yield value;
    }
  } catch (error) {
    isOver = !signal.aborted;
    throw error;
  } finally {
    const ended = isOver ? undefined : Promise.resolve(items.return?.());
    if (signal.aborted) ended?.catch(() => {});
    else await ended;
  }
}
