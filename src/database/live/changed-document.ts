import type { JsonObject } from '../../core/query/index.ts';
import { freezeDeep } from './freeze.ts';
import type { LiveEntry } from './live-api.ts';
import type { LiveShape } from './live-shape.ts';

/** A document in a live result. */
export interface SeenDocument {
  readonly key: string;
  /** Length of its stored text. */
  readonly characters: number;
  /** The value that filter and sort use. */
  readonly value: JsonObject;
  /** The entry that readers get; undefined: none, because the document does not fit the schema. */
  readonly shown: LiveEntry<JsonObject> | undefined;
}

/** The state of one document after a commit. It is parsed on first use, once for all views. */
export class ChangedDocument {
  readonly key: string;
  /** Null: readers see no document. */
  readonly text: string | null;
  #plain: SeenDocument | undefined;

  constructor(key: string, text: string | null) {
    this.key = key;
    this.text = text;
  }

  /** The value that filters use; null: there is no document. */
  valueIn(shape: LiveShape | undefined): JsonObject | null {
    return this.text === null || shape === undefined ? (this.seenIn(undefined)?.value ?? null) : shape.open(this.text);
  }

  /** Null: there is no document. `shape` undefined: documents are read as they are stored. */
  seenIn(shape: LiveShape | undefined): SeenDocument | null {
    if (this.text === null) return null;
    if (shape !== undefined) return seeDocument(this.key, this.text, shape);
    this.#plain ??= seeDocument(this.key, this.text, undefined);
    return this.#plain;
  }
}

export function seeDocument(key: string, text: string, shape: LiveShape | undefined): SeenDocument {
  if (shape === undefined) {
    const value: JsonObject = freezeDeep(JSON.parse(text));
    return { key, characters: text.length, value, shown: Object.freeze({ key, value }) };
  }
  const shown = shape.show(key, text);
  return {
    key,
    characters: text.length,
    value: shape.open(text),
    shown: shown === undefined ? undefined : Object.freeze({ key, value: shown }),
  };
}
