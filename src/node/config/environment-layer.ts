import type { Layer, RawValue, UnknownKey } from './config-source.ts';
import { isObject, keysByLowerName, nearestKey } from './object-layer.ts';

/** Variables such as `EntglDb__Network__TcpPort`, or with `:` if the system allows it; in any case. */
const OWN = /^entgldb(?:__|:)(.+)$/i;
const LOGGING = /^logging(?:__|:)loglevel(?:(?:__|:)(.+))?$/i;

/**
 * The settings in the environment. Lists are numbered (`…KnownPeers__0__Address`) or texts with commas; maps take one more
 * name (`…LogLevel__EntglDb.Network`). An empty variable counts as unset.
 */
export function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const values = new Map<string, RawValue>();
  const unknown: UnknownKey[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || text === '') continue;
    const segments = segmentsOf(name);
    if (segments === undefined) continue;
    const source = { kind: 'environment', name } as const;
    const found = findKey(segments);
    if (found === undefined) {
      const path = segments.join('.');
      unknown.push({ key: path, nearest: nearestKey(path), source });
    } else {
      const known = values.get(found.key)?.raw;
      values.set(found.key, { key: found.key, raw: place(known, found.rest, text), source });
    }
  }
  return { values: [...values.values()], unknown };
}

function segmentsOf(name: string): string[] | undefined {
  const logging = LOGGING.exec(name);
  if (logging !== null) return ['Logging', 'LogLevel', ...(logging[1] === undefined ? [] : [logging[1]])];
  return OWN.exec(name)?.[1]?.split(/__|:/);
}

/** The key that the first segments name, as many as possible, and the rest: an index or a name within its value. */
function findKey(segments: readonly string[]): { key: string; rest: readonly string[] } | undefined {
  for (let count = Math.min(segments.length, 2); count > 0; count--) {
    const key = keysByLowerName.get(segments.slice(0, count).join('.').toLowerCase());
    if (key !== undefined) return { key, rest: segments.slice(count) };
  }
  return undefined;
}

/** Adds one variable to the value of a key that is set in parts. */
function place(value: unknown, rest: readonly string[], text: string): unknown {
  const [name, ...deeper] = rest;
  if (name === undefined) return text;
  const object = isObject(value) ? value : {};
  return { ...object, [name]: place(object[name], deeper, text) };
}
