import type { JsonObject } from '../../core/query/index.ts';
import { freezeDeep } from './freeze.ts';
import type { LiveEntry } from './live-api.ts';
import type { LiveShape } from './live-shape.ts';

/** A document as a live result sees it. */
export interface SeenDocument {
  readonly key: string;
  /** Of its text, as it is stored. */
  readonly characters: number;
  /** What filter and sort look at. */
  readonly value: JsonObject;
  /** What is shown; undefined: nothing, for it does not fit the schema. */
  readonly shown: LiveEntry<JsonObject> | undefined;
}

/** What a commit did to one document; parsed once for all who look at it, and only if somebody does. */
export class ChangedDocument {
  readonly key: string;
  /** Null: readers see no document. */
  readonly text: string | null;
  #plain: SeenDocument | undefined;

  constructor(key: string, text: string | null) {
    this.key = key;
    this.text = text;
  }

  /** What filters look at; null: there is no document. */
  valueIn(shape: LiveShape | undefined): JsonObject | null {
    return this.text === null || shape === undefined ? (this.seenIn(undefined)?.value ?? null) : shape.open(this.text);
  }

  /** Null: there is no document. Shape undefined: what is stored is what is read. */
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
