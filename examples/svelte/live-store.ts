import type { Live } from 'entgldb';
import { type Readable, readable } from 'svelte/store';

/**
 * The newest state of a live query as a store, for `$name` in a component; undefined before the first. The query runs while
 * somebody is subscribed. An error that ends it goes to `onError`.
 */
export function liveStore<State>(
  live: Pick<Live<State>, 'subscribe' | 'getSnapshot'>,
  onError?: (error: unknown) => void,
): Readable<State | undefined> {
  return readable<State | undefined>(undefined, (set) => {
    return live.subscribe(() => set(live.getSnapshot()), onError);
  });
}
