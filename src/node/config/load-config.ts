import { lstat, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { FIXED_LIMITS, LIMITS, type Limits } from '../../core/config/index.ts';
import { ConfigurationError } from '../../core/errors/index.ts';
import { fileProblem } from '../files/index.ts';
import { ALL_KEYS, CONFIG_KEYS, type ConfigKey, type ConfigValues, LIMIT_KEYS } from './config-keys.ts';
import { type ConfigSource, type Layer, sourceText } from './config-source.ts';
import { checkConsistency } from './consistency.ts';
import { environmentLayer } from './environment-layer.ts';
import type { LoadedConfig } from './loaded-config.ts';
import { fileLayer, isObject, objectLayer } from './object-layer.ts';
import { parseJsonc } from './parse-jsonc.ts';
import { path as pathKind } from './value-kind.ts';

export interface LoadConfigOptions {
  /** Settings file, relative to `workingDirectory`. Default: `appsettings.json` in the data directory or, without one, in the working directory, if it exists. */
  readonly configFile?: string;
  /** Folder for the database file, relative to `workingDirectory`; overrides the folder in its path. */
  readonly dataDirectory?: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Section `EntglDb` as a plain object, with names in any case: `{ network: { tcpPort: 5001 } }`. */
  readonly options?: object;
  /** Command-line flags, by the name that the user typed: the strongest source. */
  readonly flags?: readonly { readonly flag: string; readonly key: string; readonly value: unknown }[];
}

/**
 * Reads file, environment, options and flags, each stronger than the previous one, and checks every value.
 *
 * Throws CONFIG_ERROR: FILE_NOT_FOUND, FILE_INVALID (with line and column), OPTION_INVALID (with key, value, what is
 * allowed, and where it came from).
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const dataDirectory =
    options.dataDirectory === undefined ? null : resolve(options.workingDirectory, options.dataDirectory);
  const file = await readSettings(options, dataDirectory ?? options.workingDirectory);
  const layers = [
    ...(file === null ? [] : [fileLayer(file.root, { kind: 'file', path: file.path })]),
    environmentLayer(options.environment),
    ...(options.options === undefined ? [] : [objectLayer(options.options, { kind: 'options' })]),
    flagLayer(options.flags ?? []),
  ];
  refuseUnknownOptions(layers);
  const settled = settle(layers);
  const base = file === null ? (dataDirectory ?? options.workingDirectory) : dirname(file.path);
  const placed = placeDatabase(resolvePaths(settled.values, base), dataDirectory, settled.sources);
  const values = await followLink(placed);
  const loaded: LoadedConfig = {
    values,
    limits: limitsOf(settled.values),
    sources: settled.sources,
    file: file?.path ?? null,
    baseDirectory: base,
    dataDirectory: dirname(values['Persistence.DatabasePath']),
    warnings: [...layers.flatMap((layer) => layer.unknown.map(unknownText)), ...fixedTexts(settled.sources)],
  };
  checkConsistency(loaded);
  return loaded;
}

/** Code is written for the release that it runs on, and a log that would warn of it is silent unless the program has one. */
function refuseUnknownOptions(layers: readonly Layer[]): void {
  const unknown = layers.flatMap((layer) => layer.unknown).find(({ source }) => source.kind === 'options');
  if (unknown === undefined) return;
  const { key, nearest, source } = unknown;
  const hint = nearest === undefined ? 'docs/configuration.md has all of them' : `did you mean ${nearest}?`;
  throw new ConfigurationError('OPTION_INVALID', `unknown key ${key} in ${sourceText(source)}; ${hint}`, {
    details: { key, source: sourceText(source) },
  });
}

/** Warnings about limits that are set but fixed. */
function fixedTexts(sources: LoadedConfig['sources']): string[] {
  return [...LIMIT_KEYS].flatMap(([name, { limit }]) => {
    const source = sources.get(name);
    if (source === undefined || source.kind === 'default' || !FIXED_LIMITS.has(limit)) return [];
    return `${name} in ${sourceText(source)} counts for nothing: it is fixed at ${LIMITS[limit]}`;
  });
}

/** How much of a wrong value the message shows; `details` holds all of it. */
const VALUE_CHARACTERS_SHOWN = 300;

interface Settings {
  readonly path: string;
  readonly root: Record<string, unknown>;
}

async function readSettings(options: LoadConfigOptions, defaultFolder: string): Promise<Settings | null> {
  const asked = options.configFile !== undefined;
  const path = asked ? resolve(options.workingDirectory, options.configFile) : join(defaultFolder, 'appsettings.json');
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' && !asked) return null;
    throw unreadable(path, cause);
  });
  if (bytes === null) return null;
  const parsed = parseJsonc(decoded(path, bytes));
  if (!parsed.ok) {
    const { line, column, problem } = parsed;
    throw new ConfigurationError(
      'FILE_INVALID',
      `${path}, line ${line}, column ${column}: ${problem}; correct the file`,
      {
        details: { path, line, column },
      },
    );
  }
  if (isObject(parsed.value)) return { path, root: parsed.value };
  throw new ConfigurationError('FILE_INVALID', `${path} holds no JSON object; see \`entgldb init\` for an example`, {
    details: { path },
  });
}

/** Some editors and shells on Windows write UTF-16, from which a lenient decoder would make a different text. */
function decoded(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ConfigurationError('FILE_INVALID', `${path} is not UTF-8; save it as UTF-8`, {
      details: { path },
      cause,
    });
  }
}

function unreadable(path: string, cause: NodeJS.ErrnoException): ConfigurationError {
  return cause.code === 'ENOENT'
    ? new ConfigurationError('FILE_NOT_FOUND', `there is no configuration file ${path}; \`entgldb init\` writes one`, {
        details: { path },
        cause,
      })
    : new ConfigurationError(
        'FILE_INVALID',
        `cannot read ${path}: ${fileProblem(cause)}; check the path and its permissions`,
        {
          details: { path },
          cause,
        },
      );
}

function flagLayer(flags: NonNullable<LoadConfigOptions['flags']>): Layer {
  return {
    values: flags.map(({ flag, key, value }) => ({ key, raw: value, source: { kind: 'flag', name: flag } })),
    unknown: [],
  };
}

/** The value of every key from its strongest source. */
function settle(layers: readonly Layer[]): { values: Map<string, unknown>; sources: Map<string, ConfigSource> } {
  const values = new Map<string, unknown>();
  const sources = new Map<string, ConfigSource>();
  for (const [name, key] of ALL_KEYS) {
    values.set(name, key.fallback);
    sources.set(name, { kind: 'default' });
  }
  for (const { key: name, raw, source } of layers.flatMap((layer) => layer.values)) {
    const key = ALL_KEYS.get(name)!;
    const value = key.kind.parse(raw);
    if (value === undefined) throw invalid(name, key, raw, source);
    const weaker = values.get(name);
    values.set(name, key.kind.merge === undefined || weaker === null ? value : key.kind.merge(weaker, value));
    sources.set(name, source);
  }
  return { values, sources };
}

function invalid(name: string, key: ConfigKey<unknown>, raw: unknown, source: ConfigSource): ConfigurationError {
  const value = key.secret ? '(hidden)' : raw;
  const { allowed } = key.kind;
  return new ConfigurationError(
    'OPTION_INVALID',
    `${name} is ${key.secret ? value : shorten(JSON.stringify(value))} in ${sourceText(source)}; allowed is ${allowed}`,
    { details: { key: name, value, allowed, source: sourceText(source) } },
  );
}

/** Shortens a value such as a list of a thousand peers for a message. */
function shorten(text: string): string {
  return text.length > VALUE_CHARACTERS_SHOWN ? `${text.slice(0, VALUE_CHARACTERS_SHOWN)}…` : text;
}

function resolvePaths(values: ReadonlyMap<string, unknown>, base: string): ConfigValues {
  const resolved = Object.keys(CONFIG_KEYS).map((name) => {
    const value = values.get(name);
    const isPath = ALL_KEYS.get(name)!.kind === pathKind;
    return [name, isPath && typeof value === 'string' && !isAbsolute(value) ? resolve(base, value) : value];
  });
  // Each value was parsed by the kind of its own key, so it has the type that ConfigValues says.
  return Object.fromEntries(resolved) as ConfigValues;
}

/** `--data` puts the database file, under its own name, directly into that folder. */
function placeDatabase(
  values: ConfigValues,
  dataDirectory: string | null,
  sources: Map<string, ConfigSource>,
): ConfigValues {
  if (dataDirectory === null) return values;
  sources.set('Persistence.DatabasePath', { kind: 'flag', name: '--data' });
  return { ...values, 'Persistence.DatabasePath': join(dataDirectory, basename(values['Persistence.DatabasePath'])) };
}

/**
 * Resolves a link to the database file: lock, logs and marker lie beside the file itself, so that two names for it are one
 * database with one owner.
 */
async function followLink(values: ConfigValues): Promise<ConfigValues> {
  const path = values['Persistence.DatabasePath'];
  try {
    if (!(await lstat(path)).isSymbolicLink()) return values;
    return { ...values, 'Persistence.DatabasePath': await realpath(path) };
  } catch {
    // Opening the file will report what is wrong with it.
    return values;
  }
}

function limitsOf(values: ReadonlyMap<string, unknown>): Limits {
  const changed = [...LIMIT_KEYS].map(([name, { limit }]) => [limit, values.get(name)]);
  return { ...LIMITS, ...Object.fromEntries(changed) };
}

function unknownText({ key, nearest, source }: Layer['unknown'][number]): string {
  const hint = nearest === undefined ? 'it is ignored' : `it is ignored; did you mean ${nearest}?`;
  return `unknown key ${key} in ${sourceText(source)}: ${hint}`;
}
