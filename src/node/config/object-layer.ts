import { ConfigurationError } from '../../core/errors/index.ts';
import { ALL_KEYS } from './config-keys.ts';
import { type ConfigSource, type Layer, type RawValue, sourceText, type UnknownKey } from './config-source.ts';
import { nearestName } from './nearest-name.ts';

/** Canonical key names by their lower-case form, because the case of keys does not matter. */
export const keysByLowerName: ReadonlyMap<string, string> = new Map(
  [...ALL_KEYS.keys()].map((name) => [name.toLowerCase(), name]),
);
const sectionsByLowerName: ReadonlyMap<string, string> = new Map(
  [...ALL_KEYS.keys()]
    .filter((name) => name.includes('.'))
    .map((name) => {
      const section = name.slice(0, name.indexOf('.'));
      return [section.toLowerCase(), section] as const;
    }),
);

/**
 * Reads a whole settings file: section `EntglDb`, and the levels in section `Logging` beside it. Other sections belong to other
 * programs. Throws CONFIG_ERROR / OPTION_INVALID as `objectLayer` does.
 */
export function fileLayer(root: Readonly<Record<string, unknown>>, source: ConfigSource): Layer {
  const own = Object.entries(root).filter(([name]) => isOwnSection(name));
  const [, section] = onlyOne(own, 'EntglDb', source) ?? [];
  const levels = property(property(root, 'Logging'), 'LogLevel');
  const layer =
    section === undefined ? strayKeys(root, source) : objectLayer(asSection('EntglDb', section, source), source);
  const fromLogging = levels === undefined ? [] : [{ key: 'Logging.LogLevel', raw: levels, source }];
  return { values: [...fromLogging, ...layer.values], unknown: [...layer.unknown, ...flatKeys(root, source)] };
}

/**
 * Reads an object in the shape of section `EntglDb`. Null counts as unset. Throws CONFIG_ERROR / OPTION_INVALID for a section that is
 * not an object, and for a name that appears twice in different spellings, because one of them would be ignored.
 */
export function objectLayer(section: object, source: ConfigSource, prefix = ''): Layer {
  const values: RawValue[] = [];
  const unknown: UnknownKey[] = [];
  const entries = Object.entries(section);
  for (const [name, raw] of entries) {
    const path = `${prefix}${name}`;
    const known = keysByLowerName.get(path.toLowerCase());
    const inner = sectionsByLowerName.get(path.toLowerCase());
    if (raw === null || raw === undefined) continue;
    const canonical = known ?? inner;
    if (canonical !== undefined)
      onlyOne(
        entries.filter(([each]) => each.toLowerCase() === name.toLowerCase()),
        canonical,
        source,
      );
    if (known !== undefined) values.push({ key: known, raw, source });
    else if (inner !== undefined) {
      const layer = objectLayer(asSection(inner, raw, source), source, `${inner}.`);
      values.push(...layer.values);
      unknown.push(...layer.unknown);
    } else unknown.push({ key: path, nearest: nearestKey(path), source });
  }
  return { values, unknown };
}

function isOwnSection(name: string): boolean {
  return name.toLowerCase() === 'entgldb';
}

/** The entry that is set; undefined if none is. Throws if several are. */
function onlyOne(
  entries: readonly (readonly [name: string, raw: unknown])[],
  canonical: string,
  source: ConfigSource,
): readonly [name: string, raw: unknown] | undefined {
  const set = entries.filter(([, raw]) => raw !== null && raw !== undefined);
  if (set.length < 2) return set[0];
  const names = set.map(([name]) => name);
  throw new ConfigurationError(
    'OPTION_INVALID',
    `${canonical} is more than once in ${sourceText(source)}, as ${names.join(' and ')}; keep one of them`,
    { details: { key: canonical, source: sourceText(source) } },
  );
}

function asSection(name: string, raw: unknown, source: ConfigSource): object {
  if (isObject(raw)) return raw;
  const inCode = name === 'Network' ? 'an object such as { tcpPort: 5000 }, or false for none' : 'an object';
  const allowed = source.kind === 'options' ? inCode : 'a section in braces, as `entgldb init` writes it';
  throw new ConfigurationError(
    'OPTION_INVALID',
    `${name} is ${Array.isArray(raw) ? 'a list' : `a ${typeof raw}`} in ${sourceText(source)}; allowed is ${allowed}`,
    { details: { key: name, allowed, source: sourceText(source) } },
  );
}

/** A shorter word, such as `ms`, ends too many names. */
const ENDING_CHARS_MIN = 4;
const ENDING_KEYS_MAX = 3;

/**
 * The known key that a misspelt one most likely means: of the same section with this ending (`Network.Port`), with the same last name in
 * any section, else with a similar path.
 */
export function nearestKey(path: string): string | undefined {
  const last = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const section = path.slice(0, path.lastIndexOf('.') + 1).toLowerCase();
  const longer = [...keysByLowerName].filter(([name]) => name.startsWith(section) && name.endsWith(last));
  if (section !== '' && last.length >= ENDING_CHARS_MIN && longer.length > 0 && longer.length <= ENDING_KEYS_MAX)
    return longer.map(([, name]) => name).join(' or ');
  const moved = [...ALL_KEYS.keys()].find((name) => name.toLowerCase().endsWith(`.${last}`));
  const sections = path.includes('.') ? [] : sectionsByLowerName.values();
  return moved ?? nearestName(path, [...ALL_KEYS.keys(), ...sections]);
}

/** For a file without section `EntglDb`: names the keys that were probably meant to be in it. */
function strayKeys(root: object, source: ConfigSource): Layer {
  const stray = Object.keys(root).filter(
    (name) => name.toLowerCase() !== 'logging' && sectionsByLowerName.has(name.toLowerCase()),
  );
  const misspelt = Object.keys(root).filter((name) => nearestName(name, ['EntglDb']) !== undefined);
  return {
    values: [],
    unknown: [
      ...stray.map((name) => ({ key: name, nearest: `EntglDb.${name}`, source })),
      ...misspelt.map((name) => ({ key: name, nearest: 'EntglDb', source })),
    ],
  };
}

/** Names keys such as `EntglDb:Network:TcpPort`, which .NET reads as a path and which would be ignored here. */
function flatKeys(root: object, source: ConfigSource): UnknownKey[] {
  return Object.keys(root)
    .filter((name) => isOwnSection(name.slice(0, Math.max(0, name.indexOf(':')))))
    .map((name) => ({
      key: name,
      nearest: nearestKey(name.slice(name.indexOf(':') + 1).replaceAll(':', '.')),
      source,
    }));
}

function property(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  return Object.entries(value).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1] ?? undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
