/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
/** A JSON object. Members that are undefined count as absent. */
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}
