import type { JsonValue } from '../json.ts';
import { matches } from '../matches.ts';
import { isJsonArray, readPath } from '../path.ts';
import { wordsIn } from '../words.ts';
import type { IndexDefinition } from './index-definition.ts';
import { indexKey, SIGN, valueKey } from './index-key.ts';

/** The distinct keys under which an index holds a document; none if the document does not belong in the index. */
export function indexEntries(index: IndexDefinition, value: JsonValue): Buffer[] {
  if (!matches(index.where, value)) return [];
  switch (index.kind) {
    case 'values':
      return [indexKey(index.paths.map((path) => readPath(value, path)))];
    case 'items':
      return itemKeys(index, readPath(value, index.paths[0]!));
    case 'words': {
      const words = new Set(index.paths.flatMap((path) => [...wordsIn(readPath(value, path))]));
      return [...words].map(valueKey);
    }
  }
}

/** A text gets an entry of its own kind, since `$contains` searches texts too. */
function itemKeys({ itemPath }: IndexDefinition, found: JsonValue | undefined): Buffer[] {
  if (typeof found === 'string') return [Buffer.of(SIGN.noArray)];
  if (typeof found !== 'object' || found === null || !isJsonArray(found)) return [];
  const keys = new Map<string, Buffer>();
  for (const item of found) {
    const key = valueKey(readPath(item, itemPath));
    keys.set(key.toString('latin1'), key);
  }
  return [...keys.values()];
}
