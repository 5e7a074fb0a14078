// The part of Vue that needs no browser. An application imports the same names from 'vue'.
import { type ShallowRef, shallowRef, watchEffect } from '@vue/runtime-core';
import type { Live } from 'entgldb';

export interface LiveRefs<State> {
  /** The newest state; undefined before the first. */
  readonly state: Readonly<ShallowRef<State | undefined>>;
  /** The error that ended the query; undefined if none did. */
  readonly error: Readonly<ShallowRef<unknown>>;
}

/**
 * Follows the live query that `source` returns until the component or effect scope ends. Starts over when a reactive value
 * that `source` reads changes. States are frozen, so the refs are shallow.
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
