import { LIMITS } from '../../config/index.ts';
import { PersistenceError } from '../../errors/index.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { JsonValue } from '../json.ts';
import { parseFilter, toPath } from '../parse-filter.ts';
import { isItemsStep } from '../path.ts';
import type { Filter, Path } from '../query.ts';

/** An index as a program asks for it. A path or an array of paths is short for `{ on: … }`. */
export type IndexSpec<Path extends string = string> = Path | readonly Path[] | IndexOptions<Path>;

export interface IndexOptions<Path extends string = string> {
  /** The paths of the fields, the most significant first; 1 to `indexFieldsMax`. */
  readonly on: Path | readonly Path[];
  /** Name of the index, 1 to 200 characters, unique in its collection. Default: composed of the other options. */
  readonly name?: string;
  /** One entry for each item of the array at the single path: the same as a path such as `tags[]`. Default false. */
  readonly multi?: boolean;
  /** Refuses local writes that would give two documents on this node the same values. Default false. */
  readonly unique?: boolean;
  /** Indexes the words of the texts at the paths, for `$text`. Default false. */
  readonly fullText?: boolean;
  /** A filter: only documents that fit it are indexed. Default: all. */
  readonly where?: object;
}

/** A parsed index, as stores keep it. */
export interface IndexDefinition {
  /** Unique in its collection. */
  readonly name: string;
  /** `values`: of all paths together. `items`: of the array at the single path. `words`: of the texts at the paths. */
  readonly kind: 'values' | 'items' | 'words';
  readonly paths: readonly Path[];
  /** For an index of items: the path indexed within each item; empty: the item itself. */
  readonly itemPath: Path;
  readonly isUnique: boolean;
  readonly where: Filter;
  /** The options (without the name) as canonical JSON: equal for equal indexes. */
  readonly text: string;
}

const NAME_CHARACTERS_MAX = 200;
const KNOWN = ['on', 'name', 'multi', 'unique', 'fullText', 'where'];

/** Parses an index as a user asks for it. Throws PERSISTENCE_ERROR / INVALID_INDEX, or INVALID_FILTER for `where`. */
export function parseIndex(spec: unknown): IndexDefinition {
  const options = optionsOf(spec);
  const on = (typeof options.on === 'string' ? [options.on] : options.on) as unknown;
  if (!Array.isArray(on) || on.length === 0 || !on.every((path) => typeof path === 'string')) {
    throw invalidIndex('names no fields; write { on: ["city", "age"] }');
  }
  if (on.length > LIMITS.indexFieldsMax) {
    throw invalidIndex(`has more than ${LIMITS.indexFieldsMax} fields (Limits.indexFieldsMax)`);
  }
  if (new Set(on).size !== on.length) throw invalidIndex('names a field twice');
  const { multi = false, unique = false, fullText = false } = options;
  const isOfItems = multi || on.some((path) => path.split('.').some(isItemsStep));
  if (isOfItems && (on.length > 1 || fullText)) throw invalidIndex('of items has one path, and is no full text index');
  if ((fullText || isOfItems) && unique) throw invalidIndex('of items or words cannot be unique');
  const text = canonicalJson({
    on,
    ...(multi && { multi }),
    ...(unique && { unique }),
    ...(fullText && { fullText }),
    ...(options.where === undefined ? {} : { where: options.where as JsonValue }),
  });
  const where = parseFilter(options.where);
  return {
    name: nameOf(options, on, text),
    kind: isOfItems ? 'items' : fullText ? 'words' : 'values',
    ...(isOfItems ? splitAtItems(on[0]!) : { paths: on.map(toPath), itemPath: [] }),
    isUnique: unique,
    where,
    text,
  };
}

function optionsOf(spec: unknown): Readonly<Partial<IndexOptions>> {
  if (typeof spec === 'string' || Array.isArray(spec)) return { on: spec as string };
  if (typeof spec !== 'object' || spec === null) throw invalidIndex('is no path, array of paths or object');
  const unknown = Object.keys(spec).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined)
    throw invalidIndex(`has the unknown option ${JSON.stringify(unknown)}; known: ${KNOWN.join(' ')}`);
  const options = spec as IndexOptions;
  for (const key of ['multi', 'unique', 'fullText'] as const) {
    const value: unknown = options[key];
    if (value !== undefined && typeof value !== 'boolean') throw invalidIndex(`has a ${key} that is not true or false`);
  }
  return options;
}

/** The given name, or one such as `city,age unique`: paths, then options, then the filter. */
function nameOf(
  { name, multi, unique, fullText, where }: Partial<IndexOptions>,
  on: readonly string[],
  text: string,
): string {
  if (name !== undefined) {
    if (typeof name === 'string' && name !== '' && name.length <= NAME_CHARACTERS_MAX && name.isWellFormed())
      return name;
    throw invalidIndex(`has a name that is no text of 1 to ${NAME_CHARACTERS_MAX} characters`);
  }
  const traits = [multi && 'multi', unique && 'unique', fullText && 'words'].filter(Boolean);
  const made = [on.join(','), ...traits, ...(where === undefined ? [] : [canonicalJson(where as JsonValue)])].join(' ');
  if (made.length <= NAME_CHARACTERS_MAX) return made;
  throw invalidIndex(`is too long to be named after its options; give it a name (${text.slice(0, 80)}…)`);
}

function splitAtItems(on: string): Pick<IndexDefinition, 'paths' | 'itemPath'> {
  const path = toPath(on);
  const at = path.findIndex(isItemsStep);
  if (at < 0) return { paths: [path], itemPath: [] };
  const itemPath = path.slice(at + 1);
  if (itemPath.some(isItemsStep)) throw invalidIndex('leads through arrays in arrays');
  return { paths: [[...path.slice(0, at), path[at]!.slice(0, -2)]], itemPath };
}

export function invalidIndex(problem: string): PersistenceError {
  return new PersistenceError('INVALID_INDEX', `the index ${problem}`);
}
