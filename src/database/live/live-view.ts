import type { Eventually } from '../eventually.ts';
import type { ChangedDocument } from './changed-document.ts';

/**
 * What a live thing shows, at some position of the changes: read from the store once, then carried on from change to change.
 * All of it is synchronous, but for the first reading.
 */
export interface LiveView<State> {
  /** Reads it anew, as the store is now. Throws what the store throws, and LIVE_RESULT_TOO_LARGE. */
  load(): void;
  /** The same, read beside the event loop where that takes long. Gives what takes the view there: it may not be wanted any more. */
  loadAside(signal: AbortSignal): Eventually<() => void>;
  /** By key, the newest state of each document; `documents`: how many the collection has after it. */
  apply(changes: ReadonlyMap<string, ChangedDocument>, documents: number): void;
  /** True when it cannot tell its state from the changes alone any more: `load` is due. */
  readonly isShort: boolean;
  /** Cheap where nothing was applied since: then the same object as before. */
  state(): State;
}
