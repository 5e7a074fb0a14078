import { hash } from 'node:crypto';
import type { Hlc } from '../clock/index.ts';
import { type CollectionName, compareBytes, type DocumentKey, type ReplicaId } from '../ids/index.ts';
import { type Context, contextCovers } from './context.ts';

/** The name of one write: `seq` is dense per replica, 1, 2, 3 … */
export interface Dot {
  readonly replica: ReplicaId;
  readonly seq: number;
}

/**
 * Setter of a field, and of all below it that has no stamp nearer, in collections with resolver `merge`. A field that no
 * stamp speaks for was set by the version itself; a stamp may also name the version's own dot, inside what another set.
 */
export interface FieldStamp extends Dot {
  /** RFC 6901 JSON pointer of the field; items of arrays that merge by id are named by their id. */
  readonly path: string;
  readonly hlc: Hlc;
}

/** JSON text; any other format is kept raw and relayed, but not shown. */
export const FORMAT_JSON = 0;

/** One write of one document: what travels between nodes and is never changed once made. */
export interface VersionBody extends Dot {
  /** Where this replica's line of this document begins; equals `seq` for a line's first write. */
  readonly first: number;
  readonly hlc: Hlc;
  readonly context: Context;
  /** JSON text exactly as accepted at the edge, or null for a tombstone. */
  readonly value: string | null;
  /** Sorted by path, or null when all fields were set by this version. */
  readonly stamps: readonly FieldStamp[] | null;
  readonly format: number;
}

/** A version at rest: with 128 bits of SHA-256 over all that it says, verified on reads that miss the cache. */
export interface Version extends VersionBody {
  readonly digest: Uint8Array;
}

/** Adds the digest; what else `body` holds is left behind. */
export function sealVersion(collection: CollectionName, key: DocumentKey, body: VersionBody): Version {
  const { replica, seq, first, hlc, context, value, stamps, format } = body;
  const digest = digestOf(collection, key, body);
  return { replica, seq, first, hlc, context, value, stamps, format, digest };
}

const DIGEST_BYTES = 16;

/**
 * 16 bytes of SHA-256 over collection, key, dot, first, stamp, context, field stamps, format, tombstone and value. Names
 * carry their length, everything else has a fixed alphabet: no two versions share a text.
 */
export function digestOf(collection: CollectionName, key: DocumentKey, body: VersionBody): Uint8Array {
  let head = `${collection.length}:${collection}${key.length}:${key}${body.replica}.${body.seq}.${body.first}.${body.hlc}.${body.format}[`;
  for (const line of body.context) head += `${line.replica}.${line.first}.${line.last},`;
  head += body.stamps === null ? ']' : `]${JSON.stringify(body.stamps.map((s) => [s.path, s.replica, s.seq, s.hlc]))}`;
  return startOf(hash('sha256', body.value === null ? `${head}-` : `${head}+${body.value}`, 'binary'));
}

/** So small an array lives in V8's heap; the Buffer that `hash` would make has memory outside, and takes as long as the hash. */
function startOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES);
  for (let i = 0; i < DIGEST_BYTES; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Total order in which siblings are resolved (R3): stamp, then replica, then seq. */
export function compareVersions(a: VersionBody, b: VersionBody): number {
  return a.hlc - b.hlc || compareBytes(a.replica, b.replica) || a.seq - b.seq;
}

export function isSameDot(a: Dot, b: Dot): boolean {
  return a.seq === b.seq && a.replica === b.replica;
}

export function dotText(dot: Dot): string {
  return `${dot.replica}:${dot.seq}`;
}

/** Whether the write `older` was replaced knowingly by `newer`. */
export function replaces(newer: VersionBody, older: Dot): boolean {
  return contextCovers(newer.context, older.replica, older.seq);
}
