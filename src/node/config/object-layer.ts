import { ALL_KEYS } from './config-keys.ts';
import type { ConfigSource, Layer, RawValue, UnknownKey } from './config-source.ts';
import { nearestName } from './nearest-name.ts';

/** Canonical key names and section names by their lower-case form: the case of keys does not matter. */
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

/** A whole settings file: section `EntglDb`, and the levels of section `Logging` beside it. Other sections are others'. */
export function fileLayer(root: Readonly<Record<string, unknown>>, source: ConfigSource): Layer {
  const levels = property(property(root, 'Logging'), 'LogLevel');
  const section = property(root, 'EntglDb');
  const own = isObject(section) ? objectLayer(section, source) : strayKeys(root, source);
  const fromLogging = levels === undefined ? [] : [{ key: 'Logging.LogLevel', raw: levels, source }];
  return { values: [...fromLogging, ...own.values], unknown: own.unknown };
}

/** An object in the shape of section `EntglDb`. A null counts as not set. */
export function objectLayer(section: object, source: ConfigSource, prefix = ''): Layer {
  const values: RawValue[] = [];
  const unknown: UnknownKey[] = [];
  for (const [name, raw] of Object.entries(section)) {
    const path = `${prefix}${name}`;
    const known = keysByLowerName.get(path.toLowerCase());
    const inner = sectionsByLowerName.get(path.toLowerCase());
    if (raw === null || raw === undefined) continue;
    if (known !== undefined) values.push({ key: known, raw, source });
    else if (inner !== undefined && isObject(raw)) {
      const layer = objectLayer(raw, source, `${inner}.`);
      values.push(...layer.values);
      unknown.push(...layer.unknown);
    } else unknown.push({ key: path, nearest: nearestKey(path), source });
  }
  return { values, unknown };
}

/** The known key that a misspelt one most likely means: by its whole path, else by its last name in any section. */
export function nearestKey(path: string): string | undefined {
  const last = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const moved = [...ALL_KEYS.keys()].find((name) => name.toLowerCase().endsWith(`.${last}`));
  return moved ?? nearestName(path, [...ALL_KEYS.keys(), ...sectionsByLowerName.values()]);
}

/** A file without the section `EntglDb`: keys that were meant to be in it are pointed out. */
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

function property(value: unknown, name: string): unknown {
  if (!isObject(value)) return undefined;
  return Object.entries(value).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1] ?? undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
