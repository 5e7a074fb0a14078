import { compareBytes } from '../ids/index.ts';
import type { JsonValue } from './json.ts';
import { isJsonArray } from './path.ts';

/**
 * The canonical text of a JSON value: members in byte order of their names, no white space, numbers and texts as
 * JSON.stringify writes them. Two values are equal if and only if their canonical texts are.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
  members.sort(([a], [b]) => compareBytes(a, b));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
