import type { Eventually } from '../eventually.ts';
import type { ChangedDocument } from './changed-document.ts';

/**
 * The state of a live query at some position of the changes: read from the store once, then updated with each change.
 * Everything but the first reading is synchronous.
 */
export interface LiveView<State> {
  /** Reads the state from the store as it is now. Throws what the store throws, and LIVE_RESULT_TOO_LARGE. */
  load(): void;
  /**
   * The same, outside the event loop if it takes long. Returns a function that makes what was read the state, because it may
   * not be wanted any more by then.
   */
  loadAside(signal: AbortSignal): Eventually<() => void>;
  /** The newest state of each changed document, by key; `documents`: number of documents in the collection after that. */
  apply(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void;
  /** True if the state cannot be derived from the changes any more, and `load` must be called. */
  readonly isShort: boolean;
  /** The state. Cheap, and the same object, if nothing was applied since the last call. */
  state(): State;
}
