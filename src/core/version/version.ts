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
 * In collections with resolver `merge`: the write that set a field and everything below it that has no closer stamp. Fields
 * without any stamp were set by the version itself. A stamp may also name the version's own dot, inside a field that
 * another write set.
 */
export interface FieldStamp extends Dot {
  /** JSON pointer (RFC 6901) of the field. Items of arrays that merge by id are named by their id. */
  readonly path: string;
  readonly hlc: Hlc;
}

/** The value is JSON text. Values of any other format are stored and relayed as they are, but not shown. */
export const FORMAT_JSON = 0;

/** One write of one document. It travels between nodes and never changes. */
export interface VersionBody extends Dot {
  /** Seq at which this replica's line of the document begins; equals `seq` for the first write of a line. */
  readonly first: number;
  readonly hlc: Hlc;
  readonly context: Context;
  /** JSON text exactly as it was accepted, or null for a tombstone. */
  readonly value: string | null;
  /** Sorted by path; null if this version set all fields. */
  readonly stamps: readonly FieldStamp[] | null;
  readonly format: number;
}

/** A version with its digest: 128 bits of SHA-256 over all its content, verified on reads that miss the cache. */
export interface Version extends VersionBody {
  readonly digest: Uint8Array;
}

/** Adds the digest. Other properties of `body` are dropped. */
export function sealVersion(collection: CollectionName, key: DocumentKey, body: VersionBody): Version {
  const { replica, seq, first, hlc, context, value, stamps, format } = body;
  const digest = digestOf(collection, key, body);
  return { replica, seq, first, hlc, context, value, stamps, format, digest };
}

const DIGEST_BYTES = 16;

/**
 * 16 bytes of SHA-256 over collection, key, dot, first, stamp, context, field stamps, format, tombstone and value. Names
 * are prefixed with their length and everything else has a fixed alphabet, so no two versions are hashed as the same text.
 */
export function digestOf(collection: CollectionName, key: DocumentKey, body: VersionBody): Uint8Array {
  let head = `${collection.length}:${collection}${key.length}:${key}${body.replica}.${body.seq}.${body.first}.${body.hlc}.${body.format}[`;
  for (const line of body.context) head += `${line.replica}.${line.first}.${line.last},`;
  head += body.stamps === null ? ']' : `]${JSON.stringify(body.stamps.map((s) => [s.path, s.replica, s.seq, s.hlc]))}`;
  return startOf(hash('sha256', body.value === null ? `${head}-` : `${head}+${body.value}`, 'binary'));
}

/** An array this small lives in V8's heap. A Buffer made by `hash` has memory outside it, which takes as long as hashing. */
function startOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(DIGEST_BYTES);
  for (let i = 0; i < DIGEST_BYTES; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The total order in which resolvers get siblings (R3): stamp, then replica, then seq. */
export function compareVersions(a: VersionBody, b: VersionBody): number {
  return a.hlc - b.hlc || compareBytes(a.replica, b.replica) || a.seq - b.seq;
}

export function isSameDot(a: Dot, b: Dot): boolean {
  return a.seq === b.seq && a.replica === b.replica;
}

export function dotText(dot: Dot): string {
  return `${dot.replica}:${dot.seq}`;
}

/** Whether `newer` knowingly replaced the write `older`. */
export function replaces(newer: VersionBody, older: Dot): boolean {
  return contextCovers(newer.context, older.replica, older.seq);
}
