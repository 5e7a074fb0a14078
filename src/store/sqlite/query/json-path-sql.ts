import { isArrayIndex, type Path } from '../../../core/query/index.ts';

/** SQL expressions for the value at a path of a JSON document. */
export interface PathSql {
  /** As json_type: 'null', 'true', 'false', 'integer', 'real', 'text', 'array', 'object', or NULL if there is no value. */
  readonly type: string;
  /** As json_extract, for numbers and texts only. Other values must be recognised by `type`. */
  readonly extract: string;
  /** Canonical JSON of the value. */
  readonly canonical: string;
  /** Whether `type` and `extract` use SQLite's own JSON functions. */
  readonly isNative: boolean;
}

/** A step that can be an index is also looked up as a member, so each such step doubles the number of native paths. */
const NATIVE_PATHS_MAX = 4;

/**
 * Uses SQLite's own functions if its path syntax can safely express the names. Names that are empty or contain quotes,
 * backslashes or control characters need functions of ours (`query-functions.ts`), which are slower.
 */
export function pathToSql(path: Path, column: string): PathSql {
  const json = textLiteral(JSON.stringify(path));
  const canonical = `entgldb_canonical(${column},${json})`;
  const paths = nativePaths(path);
  if (paths === undefined) {
    return {
      type: `entgldb_type(${column},${json})`,
      extract: `entgldb_extract(${column},${json})`,
      canonical,
      isNative: false,
    };
  }
  return {
    type: firstOf('json_type', column, paths),
    extract: firstOf('json_extract', column, paths),
    canonical,
    isNative: true,
  };
}

/** At most one of the paths leads anywhere, since a container is either an object or an array. */
function firstOf(name: string, column: string, paths: readonly string[]): string {
  const calls = paths.map((path) => `${name}(${column},${textLiteral(path)})`);
  return calls.length === 1 ? calls[0]! : `coalesce(${calls.join(',')})`;
}

/** Undefined if SQLite's syntax cannot express one of the steps, or if there would be too many paths. */
function nativePaths(path: Path): readonly string[] | undefined {
  let paths = ['$'];
  for (const step of path) {
    if (!isNativeName(step)) return undefined;
    const member = paths.map((before) => `${before}."${step}"`);
    paths = isArrayIndex(step) ? [...member, ...paths.map((before) => `${before}[${step}]`)] : member;
    if (paths.length > NATIVE_PATHS_MAX) return undefined;
  }
  return paths;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL would end the path
const UNSAFE = /["\\\u0000-\u001f]/;

function isNativeName(name: string): boolean {
  return name !== '' && !UNSAFE.test(name) && name.isWellFormed();
}

/** A text as an SQL literal. It must not contain NUL. */
function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
