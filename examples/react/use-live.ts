import type { Live } from 'entgldb';
import { useCallback, useSyncExternalStore } from 'react';

/**
 * The newest state of a live query; undefined before the first. The query runs while a component that uses it is mounted.
 * An error that ends it is thrown while rendering, for an error boundary. Keep the live query in `useMemo` or outside
 * components: a new one in each render would start over each time.
 */
export function useLive<State>(live: Pick<Live<State>, 'subscribe' | 'getSnapshot'>): State | undefined {
  const subscribe = useCallback((listener: () => void) => live.subscribe(listener), [live]);
  const getSnapshot = useCallback(() => live.getSnapshot(), [live]);
  return useSyncExternalStore(subscribe, getSnapshot, () => undefined);
}
