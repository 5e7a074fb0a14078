import type { Limits } from '../config/index.ts';
import { PersistenceError } from '../errors/index.ts';

export type DocumentLimits = Pick<Limits, 'documentBytesMax' | 'documentDepthMax'>;

/**
 * Validation of local writes: makes, once, the JSON text under which a value is stored, sent and hashed.
 *
 * Accepted are values that survive a round trip through JSON: a plain object of plain objects, arrays, texts, finite
 * numbers, booleans and null. A member that is undefined is left out, as in JSON.stringify; -0 becomes 0.
 *
 * Everything that JSON.stringify would silently change is refused, since readers would get back something else than was
 * written: NaN and infinities, undefined or holes in arrays, functions, symbols, BigInt, and instances of classes, also
 * those with `toJSON` such as Date. Half surrogate pairs are refused because UTF-8 cannot carry them. NUL is refused in
 * names, since SQLite reads the name `a\0b` as `a`; texts may contain it. A value is first checked and then turned into
 * text, so one that a getter or a proxy changes between the two is refused as well.
 *
 * Throws PERSISTENCE_ERROR: INVALID_DOCUMENT (with the path of the offending value) or DOCUMENT_TOO_LARGE. Both name the
 * document if `key` is given.
 */
export function documentToText(value: unknown, limits: DocumentLimits, key?: string): string {
  if (!isPlainObject(value)) {
    throw invalidDocument({ path: '', what: `is ${nameOf(value)}; a document is a plain object` }, key);
  }
  const counted = { nulls: 0 };
  const problem = jsonProblem(value, limits.documentDepthMax, counted);
  if (problem) throw invalidDocument(problem, key);
  const text: string | undefined = JSON.stringify(value);
  if (!text?.startsWith('{') || hasMoreNulls(text, counted.nulls)) {
    throw invalidDocument({ path: '', what: UNSTEADY }, key);
  }
  // JSON.stringify writes half pairs as escapes. A text may contain the same characters itself, so a hit is checked closely.
  if (text.includes('\\ud') && hasHalfPair(JSON.parse(text))) throw invalidDocument({ path: '', what: HALF_PAIR }, key);
  if (text.includes('\\u0000') && hasNulName(JSON.parse(text)))
    throw invalidDocument({ path: '', what: NUL_NAME }, key);
  const bytes = utf8BytesAbove(text, limits.documentBytesMax);
  if (bytes !== undefined) throw documentTooLarge(bytes, limits.documentBytesMax, key);
  return text;
}

export interface JsonProblem {
  /** RFC 6901 pointer to the offending value; empty: the whole value. */
  readonly path: string;
  readonly what: string;
}

/** Characters of a path shown in a message. A value that contains itself has a long path. */
const PATH_SHOWN_MAX = 80;

export const HALF_PAIR = 'holds half of a surrogate pair';
export const NUL_NAME = 'has a name with a NUL character';
const UNSTEADY = 'changes each time it is read (a getter, a proxy or toJSON); write a plain copy of it';
const OWN_JSON = 'has a toJSON of its own; convert it to plain JSON first';

/** Counts made while a value is checked. JSON.stringify writes more nulls if a number has become NaN since. */
interface Counted {
  nulls: number;
}

/** Why a value does not survive a round trip through JSON; undefined if it does. The contents of texts are not checked. */
export function jsonProblem(
  value: unknown,
  depthMax: number,
  counted: Counted = { nulls: 0 },
): JsonProblem | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', what: `is ${value}; JSON has finite numbers only` };
    case 'object':
      if (value === null) {
        counted.nulls++;
        return undefined;
      }
      if (depthMax < 1) return { path: '', what: 'is nested too deep, or holds itself' };
      if (Array.isArray(value)) return itemsProblem(unwrapArray(value), depthMax - 1, counted);
      if (isPlainObject(value)) return membersProblem(value, depthMax - 1, counted);
      return { path: '', what: `is ${nameOf(value)}; convert it to plain JSON first` };
    default:
      return { path: '', what: `is ${nameOf(value)}; JSON has no such value` };
  }
}

/** Observable arrays of user-interface libraries have a toJSON that returns a plain array. */
function unwrapArray(items: readonly unknown[]): unknown {
  return hasOwnJson(items) ? items.toJSON() : items;
}

function hasOwnJson<T extends object>(value: T): value is T & { toJSON(): unknown } {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function';
}

function itemsProblem(items: unknown, depthMax: number, counted: Counted): JsonProblem | undefined {
  if (!Array.isArray(items)) return { path: '', what: OWN_JSON };
  for (let i = 0; i < items.length; i++) {
    const problem = jsonProblem(items[i], depthMax, counted);
    if (problem) return within(String(i), problem);
  }
  return undefined;
}

function membersProblem(members: Record<string, unknown>, depthMax: number, counted: Counted): JsonProblem | undefined {
  if (hasOwnJson(members)) return { path: '', what: OWN_JSON };
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (typeof member === 'string' || member === undefined) continue;
    const problem = jsonProblem(member, depthMax, counted);
    if (problem) return within(name, problem);
  }
  return undefined;
}

function within(name: string, problem: JsonProblem): JsonProblem {
  return { path: `/${pointerToken(name)}${problem.path}`, what: problem.what };
}

/** One step of an RFC 6901 pointer. */
export function pointerToken(name: string): string {
  return name.includes('~') || name.includes('/') ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name;
}

/** True for objects made by a literal, JSON.parse or Object.create(null), in this realm or another. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Whether a name or text anywhere in a JSON value holds half of a surrogate pair. */
export function hasHalfPair(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasHalfPair);
  return Object.entries(value).some(([name, member]) => !name.isWellFormed() || hasHalfPair(member));
}

function hasMoreNulls(text: string, nulls: number): boolean {
  let found = 0;
  for (let at = text.indexOf('null'); at !== -1; at = text.indexOf('null', at + 4)) found++;
  // The word may also occur inside a text.
  return found > nulls && countNulls(JSON.parse(text)) > nulls;
}

function countNulls(value: unknown): number {
  if (typeof value !== 'object') return 0;
  if (value === null) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + countNulls(member), 0);
}

function hasNulName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasNulName);
  return Object.entries(value).some(([name, member]) => name.includes('\0') || hasNulName(member));
}

/** The size of a text in bytes if it is above `bytesMax`. Only texts that could be too long are measured. */
export function utf8BytesAbove(text: string, bytesMax: number): number | undefined {
  if (text.length * 3 <= bytesMax) return undefined;
  const bytes = Buffer.byteLength(text);
  return bytes > bytesMax ? bytes : undefined;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Array.isArray(value) ? 'an array' : `an instance of ${value.constructor?.name || 'a class'}`;
}

function invalidDocument(problem: JsonProblem, key: string | undefined): PersistenceError {
  const shown = problem.path.length > PATH_SHOWN_MAX ? `${problem.path.slice(0, PATH_SHOWN_MAX)}…` : problem.path;
  const where = problem.path === '' ? '' : `'s field ${JSON.stringify(shown)}`;
  const message = `${documentNamed(key)}${where} ${problem.what}`;
  return new PersistenceError('INVALID_DOCUMENT', message, { details: { path: problem.path, ...keyed(key) } });
}

function documentTooLarge(bytes: number, bytesMax: number, key: string | undefined): PersistenceError {
  return new PersistenceError(
    'DOCUMENT_TOO_LARGE',
    `${documentNamed(key)} has ${bytes} bytes of JSON; at most ${bytesMax} are allowed (Limits.documentBytesMax): split it`,
    { details: { bytes, bytesMax, ...keyed(key) } },
  );
}

function documentNamed(key: string | undefined): string {
  return key === undefined ? 'the document' : `document ${JSON.stringify(key)}`;
}

function keyed(key: string | undefined): { readonly key?: string } {
  return key === undefined ? {} : { key };
}
