import { isArrayIndex, type Path } from '../../../core/query/index.ts';

/** SQL for what a path of a JSON document leads to. */
export interface PathSql {
  /** Like json_type: 'null', 'true', 'false', 'integer', 'real', 'text', 'array', 'object', or NULL where nothing is. */
  readonly type: string;
  /** Like json_extract, for numbers and texts; anything else must be told apart by `type`. */
  readonly extract: string;
  /** Canonical JSON of what is there. */
  readonly canonical: string;
  /** Whether SQLite's own JSON functions do it. */
  readonly isNative: boolean;
}

/** A step that can be an index is looked up as a member too: each of them doubles the number of native paths. */
const NATIVE_PATHS_MAX = 4;

/**
 * SQLite's own functions where its path syntax can say the name for sure; names that are empty, or that hold quotes,
 * backslashes or control characters go to functions of ours (`query-functions.ts`), which are slower.
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

/** At most one of the paths leads anywhere, for a container is either an object or an array. */
function firstOf(name: string, column: string, paths: readonly string[]): string {
  const calls = paths.map((path) => `${name}(${column},${textLiteral(path)})`);
  return calls.length === 1 ? calls[0]! : `coalesce(${calls.join(',')})`;
}

/** Undefined when SQLite cannot say one of the steps, or when there would be too many paths. */
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

/** A text as an SQL literal. Callers see to it that it holds no NUL. */
function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
