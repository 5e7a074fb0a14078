import type { Limits } from '../config/index.ts';
import { PersistenceError } from '../errors/index.ts';

export type DocumentLimits = Pick<Limits, 'documentBytesMax' | 'documentDepthMax'>;

/**
 * The edge for local writes: the JSON text under which a value is stored, sent and hashed, made once.
 *
 * Accepted is what JSON can say and give back: a plain object of plain objects, arrays, texts, finite numbers, booleans
 * and null. A member that is undefined is left out, as in JSON.stringify; -0 becomes 0. Everything that JSON.stringify
 * would change silently is refused instead: NaN and infinities, undefined or holes in arrays, functions, symbols, BigInt,
 * and instances of classes, those with `toJSON` (such as Date) included, for a reader would get something else back than
 * was written. So are half surrogate pairs, which UTF-8 cannot carry, and names that hold NUL, for which SQLite reads
 * `a\0b` as `a`; texts may hold it. And so is what a getter or a proxy makes another value of when it is read again: a value
 * is looked at and then told, and what is told is what counts.
 *
 * Throws PERSISTENCE_ERROR: INVALID_DOCUMENT (with the path of the culprit), or DOCUMENT_TOO_LARGE; both name the document where
 * its key is given.
 */
export function documentToText(value: unknown, limits: DocumentLimits, key?: string): string {
  if (!isPlainObject(value)) {
    throw invalidDocument({ path: '', what: `is ${nameOf(value)}; a document is a plain object` }, key);
  }
  const met = { nulls: 0 };
  const problem = jsonProblem(value, limits.documentDepthMax, met);
  if (problem) throw invalidDocument(problem, key);
  const text: string | undefined = JSON.stringify(value);
  if (!text?.startsWith('{') || hasMoreNulls(text, met.nulls)) throw invalidDocument({ path: '', what: UNSTEADY }, key);
  // JSON.stringify writes half pairs as escapes; the same letters may also be a text's own, so a hit is looked at closely.
  if (text.includes('\\ud') && hasHalfPair(JSON.parse(text))) throw invalidDocument({ path: '', what: HALF_PAIR }, key);
  if (text.includes('\\u0000') && hasNulName(JSON.parse(text)))
    throw invalidDocument({ path: '', what: NUL_NAME }, key);
  const bytes = utf8BytesAbove(text, limits.documentBytesMax);
  if (bytes !== undefined) throw documentTooLarge(bytes, limits.documentBytesMax, key);
  return text;
}

export interface JsonProblem {
  /** RFC 6901 pointer to the value that is wrong; empty: the whole. */
  readonly path: string;
  readonly what: string;
}

/** Characters of a path in a message; what holds itself has long ones. */
const PATH_SHOWN_MAX = 80;

export const HALF_PAIR = 'holds half of a surrogate pair';
export const NUL_NAME = 'has a name with a NUL character';
const UNSTEADY = 'is another one each time it is read (a getter, a proxy or toJSON); write a plain copy of it';
const OWN_JSON = 'has a toJSON of its own; convert it to plain JSON first';

/** What was met in a value. JSON.stringify writes more nulls where a number has become NaN since it was looked at. */
interface Met {
  nulls: number;
}

/** Why a value cannot be told in JSON and be read back equal; undefined when it can. Texts are not looked into. */
export function jsonProblem(value: unknown, depthMax: number, met: Met = { nulls: 0 }): JsonProblem | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { path: '', what: `is ${value}; JSON has finite numbers only` };
    case 'object':
      if (value === null) {
        met.nulls++;
        return undefined;
      }
      if (depthMax < 1) return { path: '', what: 'is nested too deep, or holds itself' };
      if (Array.isArray(value)) return itemsProblem(told(value), depthMax - 1, met);
      if (isPlainObject(value)) return membersProblem(value, depthMax - 1, met);
      return { path: '', what: `is ${nameOf(value)}; convert it to plain JSON first` };
    default:
      return { path: '', what: `is ${nameOf(value)}; JSON has no such value` };
  }
}

/** Arrays that are watched by a library of user interfaces give a plain one. */
function told(items: readonly unknown[]): unknown {
  return hasOwnJson(items) ? items.toJSON() : items;
}

function hasOwnJson<T extends object>(value: T): value is T & { toJSON(): unknown } {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function';
}

function itemsProblem(items: unknown, depthMax: number, met: Met): JsonProblem | undefined {
  if (!Array.isArray(items)) return { path: '', what: OWN_JSON };
  for (let i = 0; i < items.length; i++) {
    const problem = jsonProblem(items[i], depthMax, met);
    if (problem) return within(String(i), problem);
  }
  return undefined;
}

function membersProblem(members: Record<string, unknown>, depthMax: number, met: Met): JsonProblem | undefined {
  if (hasOwnJson(members)) return { path: '', what: OWN_JSON };
  for (const name of Object.keys(members)) {
    const member = members[name];
    if (typeof member === 'string' || member === undefined) continue;
    const problem = jsonProblem(member, depthMax, met);
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

/** An object made by a literal, JSON.parse or Object.create(null), of this realm or of another. */
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
  // The word may also be in a text.
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

/** The bytes of a text if they are more than `bytesMax`. Only texts that could be too long are counted. */
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
