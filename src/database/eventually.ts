/** A value that is already there, or a promise of it. */
export type Eventually<T> = T | Promise<T>;

/** Continues synchronously if there is nothing to wait for, so that a write is accepted within the call. */
export function after<A, B>(value: Eventually<A>, next: (value: A) => Eventually<B>): Eventually<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
