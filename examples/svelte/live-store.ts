import type { Live } from 'entgldb';
import { type Readable, readable } from 'svelte/store';

/**
 * The newest state of something live as a store, for `$name` in a component; undefined before the first. It runs while
 * somebody is subscribed. What ends it early goes to `onError`.
 */
export function liveStore<State>(
  live: Pick<Live<State>, 'subscribe' | 'getSnapshot'>,
  onError?: (error: unknown) => void,
): Readable<State | undefined> {
  return readable<State | undefined>(undefined, (set) => {
    return live.subscribe(() => set(live.getSnapshot()), onError);
  });
}
