import type { JsonObject, JsonValue } from '../../core/query/index.ts';

/** What a commit did to one document; parsed once for all who look at it, and only if somebody does. */
export class ChangedDocument {
  readonly key: string;
  readonly #text: string | null;
  #value: JsonObject | undefined;

  /** `text` null: readers see no document. */
  constructor(key: string, text: string | null) {
    this.key = key;
    this.#text = text;
  }

  get value(): JsonObject | null {
    if (this.#text === null) return null;
    this.#value ??= parseFrozen(this.#text);
    return this.#value;
  }
}

/** The document of a text, frozen through and through, because many share it. */
export function parseFrozen(text: string): JsonObject {
  return freeze(JSON.parse(text)) as JsonObject;
}

/** As deep as a document may be, `documentDepthMax`. */
function freeze<Value extends JsonValue | undefined>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
