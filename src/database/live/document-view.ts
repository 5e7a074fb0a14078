import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../core/query/index.ts';
import { type ChangedDocument, parseFrozen } from './changed-document.ts';
import type { LiveView } from './live-view.ts';

/** One document, or null. */
export class DocumentView implements LiveView<JsonObject | null> {
  readonly #key: string;
  readonly #read: () => string | null;
  #state: JsonObject | null = null;
  readonly isShort = false;

  /** `read`: its text as the store has it now. */
  constructor(key: string, read: () => string | null) {
    this.#key = key;
    this.#read = read;
  }

  load(): void {
    const text = this.#read();
    this.#set(text === null ? null : parseFrozen(text));
  }

  apply(changes: ReadonlyMap<string, ChangedDocument>): void {
    const change = changes.get(this.#key);
    if (change !== undefined) this.#set(change.value);
  }

  state(): JsonObject | null {
    return this.#state;
  }

  #set(value: JsonObject | null): void {
    if (!isDeepStrictEqual(this.#state, value)) this.#state = value;
  }
}
