import type { Live } from 'entgldb';
import { useCallback, useSyncExternalStore } from 'react';

/**
 * The newest state of something live; undefined before the first. It runs while a component that uses it is mounted. What ends
 * it early is thrown while rendering, for an error boundary. Keep the live query in `useMemo`, or outside of components: a
 * new one with each rendering would begin anew each time.
 */
export function useLive<State>(live: Pick<Live<State>, 'subscribe' | 'getSnapshot'>): State | undefined {
  const subscribe = useCallback((listener: () => void) => live.subscribe(listener), [live]);
  const getSnapshot = useCallback(() => live.getSnapshot(), [live]);
  return useSyncExternalStore(subscribe, getSnapshot, () => undefined);
}
