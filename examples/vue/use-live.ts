// The part of `vue` that knows nothing of a browser; an application imports the same names from 'vue'.
import { type ShallowRef, shallowRef, watchEffect } from '@vue/runtime-core';
import type { Live } from 'entgldb';

export interface LiveRefs<State> {
  /** The newest state; undefined before the first. */
  readonly state: Readonly<ShallowRef<State | undefined>>;
  /** What ended it early, or undefined. */
  readonly error: Readonly<ShallowRef<unknown>>;
}

/**
 * Follows what `source` returns until the component, or the effect scope, ends; begins anew when something reactive that
 * `source` looks at changes. States are frozen, so the refs are shallow.
 */
export function useLive<State>(source: () => Pick<Live<State>, 'subscribe' | 'getSnapshot'>): LiveRefs<State> {
  const state = shallowRef<State>();
  const error = shallowRef<unknown>();
  watchEffect((onCleanup) => {
    const live = source();
    error.value = undefined;
    onCleanup(
      live.subscribe(
        () => {
          state.value = live.getSnapshot();
        },
        (cause) => {
          error.value = cause;
        },
      ),
    );
  });
  return { state, error };
}
