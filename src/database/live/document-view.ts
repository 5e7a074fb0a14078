import type { JsonObject } from '../../core/query/index.ts';
import { type ChangedDocument, seeDocument } from './changed-document.ts';
import type { LiveShape } from './live-shape.ts';
import type { LiveView } from './live-view.ts';

export interface DocumentViewDeps {
  readonly key: string;
  /** The text of the document in the store now; null: there is none. */
  readonly read: () => string | null;
  /** Undefined: the document is read as it is stored. */
  readonly shape: LiveShape | undefined;
}

/** One document, or null. Throws DOCUMENT_INVALID for one that does not fit the schema, as `get` does. */
export class DocumentView implements LiveView<JsonObject | null> {
  readonly #deps: DocumentViewDeps;
  #state: JsonObject | null = null;
  readonly isShort = false;

  constructor(deps: DocumentViewDeps) {
    this.#deps = deps;
  }

  load(): void {
    this.#set(this.#deps.read());
  }

  loadAside(): () => void {
    return () => this.load();
  }

  apply(changes: ReadonlyMap<string, ChangedDocument>): void {
    const change = changes.get(this.#deps.key);
    if (change !== undefined) this.#set(change.text);
  }

  state(): JsonObject | null {
    return this.#state;
  }

  #set(text: string | null): void {
    this.#state = text === null ? null : this.#seen(text);
  }

  #seen(text: string): JsonObject {
    const { key, shape } = this.#deps;
    return shape === undefined ? seeDocument(key, text, undefined).value : shape.require(key, text);
  }
}
