import { isIP } from 'node:net';
import type { Address } from '../../net/index.ts';

/**
 * What a configuration key accepts. Files give JSON values, the environment and flags give text; a kind accepts both, as the
 * binder of .NET does.
 */
export interface ValueKind<T> {
  /** In words, for error messages and docs: "an integer from 0 to 65535". */
  readonly allowed: string;
  /** Undefined if the raw value is not allowed. */
  parse(raw: unknown): T | undefined;
  /** Joins the value of a stronger source with that of a weaker one; absent: the stronger replaces the weaker. */
  merge?(weaker: T, stronger: T): T;
}

export function integer(min: number, max: number): ValueKind<number> {
  return {
    allowed: `an integer from ${min} to ${max}`,
    parse: (raw) => {
      const value = toNumber(raw, /^[+-]?\d+$/);
      return value !== undefined && Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
    },
  };
}

/** An integer of at least `min`, or 0, which turns the feature off. */
export function integerOrOff(min: number, max: number): ValueKind<number> {
  const { allowed, parse } = integer(min, max);
  return { allowed: `${allowed}, or 0`, parse: (raw) => parse(raw) ?? integer(0, 0).parse(raw) };
}

export function decimal(min: number, max: number): ValueKind<number> {
  return {
    allowed: `a number from ${min} to ${max}`,
    parse: (raw) => {
      const value = toNumber(raw, /^[+-]?\d+(\.\d+)?$/);
      return value !== undefined && value >= min && value <= max ? value : undefined;
    },
  };
}

function toNumber(raw: unknown, pattern: RegExp): number | undefined {
  if (typeof raw === 'number') return Number.isFinite(raw) ? raw : undefined;
  return typeof raw === 'string' && pattern.test(raw.trim()) ? Number(raw) : undefined;
}

export const boolean: ValueKind<boolean> = {
  allowed: 'true or false',
  parse: (raw) => {
    if (typeof raw === 'boolean') return raw;
    if (typeof raw !== 'string') return undefined;
    const text = raw.trim().toLowerCase();
    return text === 'true' ? true : text === 'false' ? false : undefined;
  },
};

/** One of a few names; case is ignored. */
export function oneOf<const Names extends readonly string[]>(...names: Names): ValueKind<Names[number]> {
  return {
    allowed: names.map((name) => JSON.stringify(name)).join(' or '),
    parse: (raw) =>
      typeof raw === 'string' ? names.find((name) => name.toLowerCase() === raw.trim().toLowerCase()) : undefined,
  };
}

export function text(charsMax: number): ValueKind<string> {
  return {
    allowed: `a text of 1 to ${charsMax} characters`,
    parse: (raw) => (typeof raw === 'string' && raw.trim() !== '' && raw.length <= charsMax ? raw : undefined),
  };
}

/** A name that people read in logs and tables: without control characters, which could break lines or control a terminal. */
export function name(charsMax: number): ValueKind<string> {
  const { parse } = text(charsMax);
  return {
    allowed: `a text of 1 to ${charsMax} characters, no control characters`,
    parse: (raw) => (typeof raw === 'string' && /\p{Cc}/u.test(raw) ? undefined : parse(raw)),
  };
}

/** A path of a file or folder. The loader recognises this kind, and resolves relative paths. */
export const path: ValueKind<string> = {
  allowed: 'a path of 1 to 4096 characters',
  parse: (raw) =>
    typeof raw === 'string' && raw.trim() !== '' && raw.length <= 4096 && !raw.includes('\0') ? raw : undefined,
};

/** A JSON array of names, or text with commas. */
export const names: ValueKind<readonly string[]> = {
  allowed: 'a list of names',
  parse: (raw) => {
    const items = toItems(raw);
    return items?.every((item): item is string => typeof item === 'string' && item.length > 0) ? items : undefined;
  },
};

/** The guide's `[{ "Address": "host:port" }]`, plain "host:port" texts, or text with commas. */
export const peerAddresses: ValueKind<readonly Address[]> = {
  allowed: 'a list of { "Address": "host:port" }, IPv6 as "[fe80::1%eth0]:port"',
  parse: (raw) => {
    const addresses = toItems(raw)?.map((item) => parseAddress(addressText(item)));
    return addresses?.every((address) => address !== undefined) ? addresses : undefined;
  },
};

function addressText(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return item;
  return Object.entries(item).find(([name]) => name.toLowerCase() === 'address')?.[1];
}

/** Parses `host:port` or `[IPv6]:port`; undefined if it is neither. */
export function parseAddress(raw: unknown): Address | undefined {
  if (typeof raw !== 'string') return undefined;
  const match = /^(?:\[([^\]]+)\]|([^\s:/@]+)):(\d{1,5})$/.exec(raw.trim());
  if (match === null || (match[1] !== undefined && isIP(match[1]) !== 6)) return undefined;
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : undefined;
}

/** One value for all names, or one per name; the entry `fallback` applies to every name that is not listed. */
export function perName<T>(each: ValueKind<T>, fallback: string, what: string): ValueKind<ReadonlyMap<string, T>> {
  return {
    allowed: `${each.allowed}, or one per ${what} as { "${fallback}": …, "name": … }`,
    parse: (raw) => {
      const all = each.parse(raw);
      if (all !== undefined) return new Map([[fallback, all]]);
      return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? parseEntries(raw, each) : undefined;
    },
    merge: (weaker, stronger) => new Map([...weaker, ...stronger]),
  };
}

function parseEntries<T>(raw: object, each: ValueKind<T>): Map<string, T> | undefined {
  const entries = new Map<string, T>();
  for (const [name, value] of Object.entries(raw)) {
    const parsed = each.parse(value);
    if (parsed === undefined) return undefined;
    entries.set(name, parsed);
  }
  return entries;
}

/** Items of an array, of an object with the keys 0, 1 … (environment variables), or of text with commas. */
function toItems(raw: unknown): readonly unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  if (typeof raw === 'string') {
    return raw
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  if (typeof raw !== 'object' || raw === null) return undefined;
  const entries = Object.entries(raw).sort(([a], [b]) => Number(a) - Number(b));
  return entries.every(([index]) => /^\d+$/.test(index)) ? entries.map(([, item]) => item) : undefined;
}
