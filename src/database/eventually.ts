/** There already, or to be waited for. */
export type Eventually<T> = T | Promise<T>;

/** Goes on at once where nothing has to be waited for, so that a write is accepted within the call. */
export function after<A, B>(value: Eventually<A>, next: (value: A) => Eventually<B>): Eventually<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
