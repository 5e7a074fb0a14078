import { type Hlc, isHlc } from '../../core/clock/index.ts';
import {
  type CollectionName,
  compareBytes,
  type DocumentKey,
  parseCollectionName,
  parseDocumentKey,
} from '../../core/ids/index.ts';
import {
  bytesToFingerprint,
  type Check,
  type Context,
  EMPTY_CONTEXT,
  type FieldStamp,
  type Fingerprint,
  isContext,
  type Line,
} from '../../core/version/index.ts';
import type { ReplicaTable } from './dictionary.ts';
import { invalidMessage } from './invalid-message.ts';
import type { SentVersion } from './message.ts';
import type { FieldStamps as WireFieldStamps, Version as WireVersion } from './wire_pb.ts';

const CHECK_BYTES = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A version of a `Versions` message; `collection` is that of the version before, where it names none itself. */
export function parseVersion(wire: WireVersion, before: CollectionName | undefined, table: ReplicaTable): SentVersion {
  const replica = table.replica(wire.replica, 'version.replica');
  const seq = parsePositive(wire.seq, 'version.seq');
  const first = wire.first === undefined ? seq : parsePositive(wire.first, 'version.first');
  if (first > seq) throw invalidMessage('version.first', 'is above seq');
  const context = wire.context.length === 0 ? EMPTY_CONTEXT : parseContext(wire, table);
  if (context.some((line) => line.replica === replica && line.last >= seq)) {
    throw invalidMessage('version.context', 'covers the write itself');
  }
  return {
    collection: parseOwnCollection(wire.collection, before),
    key: parseKey(wire.key, 'version.key'),
    replica,
    seq,
    first,
    hlc: parseHlc(wire.hlc, 'version.hlc'),
    context,
    value: wire.value === undefined ? null : parseText(wire.value),
    stamps: wire.stamps === undefined ? null : parseStamps(wire.stamps, table),
    format: wire.format,
  };
}

function parseOwnCollection(name: string | undefined, before: CollectionName | undefined): CollectionName {
  if (name !== undefined && name !== before) return parseCollection(name, 'version.collection');
  if (before === undefined) throw invalidMessage('version.collection', 'is absent in the first version');
  return before;
}

function parseContext(wire: WireVersion, table: ReplicaTable): Context {
  const context = wire.context.map((line): Line => {
    const last = parsePositive(line.last, 'version.context.last');
    return {
      replica: table.replica(line.replica, 'version.context.replica'),
      first: line.first === undefined ? last : parsePositive(line.first, 'version.context.first'),
      last,
    };
  });
  if (!isContext(context)) throw invalidMessage('version.context', 'is not sorted and disjoint');
  return context;
}

function parseStamps(wire: WireFieldStamps, table: ReplicaTable): FieldStamp[] {
  const stamps = wire.stamp.map((stamp) => ({
    path: stamp.path,
    replica: table.replica(stamp.replica, 'version.stamps.replica'),
    seq: parsePositive(stamp.seq, 'version.stamps.seq'),
    hlc: parseHlc(stamp.hlc, 'version.stamps.hlc'),
  }));
  for (let i = 1; i < stamps.length; i++) {
    if (compareBytes(stamps[i - 1]!.path, stamps[i]!.path) >= 0)
      throw invalidMessage('version.stamps', 'are not sorted');
  }
  return stamps;
}

function parseText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw invalidMessage('version.value', 'is no UTF-8', error);
  }
}

/** An integer from 1 to 2^53 - 1. */
export function parsePositive(value: bigint, where: string): number {
  const number = parseCount(value, where);
  if (number === 0) throw invalidMessage(where, 'is 0');
  return number;
}

/** An integer from 0 to 2^53 - 1. */
export function parseCount(value: bigint, where: string): number {
  const number = parseInteger(value, where);
  if (number < 0) throw invalidMessage(where, 'is negative');
  return number;
}

/** An integer within ±(2^53 - 1). */
export function parseInteger(value: bigint, where: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalidMessage(where, 'is beyond 2^53');
  return number;
}

export function parseHlc(value: bigint, where: string): Hlc {
  const number = Number(value);
  if (!isHlc(number)) throw invalidMessage(where, 'is no stamp');
  return number;
}

export function parseCollection(text: string, where: string): CollectionName {
  try {
    return parseCollectionName(text);
  } catch (error) {
    throw invalidMessage(where, 'is no name of a collection', error);
  }
}

export function parseKey(text: string, where: string): DocumentKey {
  try {
    return parseDocumentKey(text);
  } catch (error) {
    throw invalidMessage(where, 'is no key of a document', error);
  }
}

/** Null stands for the end of all keys. */
export function parseOptionalKey(text: string | undefined, where: string): DocumentKey | null {
  return text === undefined ? null : parseKey(text, where);
}

export function parseCheckBytes(bytes: Uint8Array, where: string): Check {
  if (bytes.length !== CHECK_BYTES) throw invalidMessage(where, `has ${bytes.length} bytes, not ${CHECK_BYTES}`);
  return Buffer.from(bytes).toString('hex') as Check;
}

export function parseFingerprint(bytes: Uint8Array, where: string): Fingerprint {
  const fingerprint = bytesToFingerprint(bytes);
  if (fingerprint === undefined) throw invalidMessage(where, 'is no fingerprint');
  return fingerprint;
}
