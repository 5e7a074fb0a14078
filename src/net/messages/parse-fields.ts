import { type CollectionName, type DocumentKey, parseCollectionName, parseDocumentKey } from '../../core/ids/index.ts';
import { bytesToFingerprint, type Check, type Fingerprint } from '../../core/version/index.ts';
import { invalidMessage } from './invalid-message.ts';

const CHECK_BYTES = 8;

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

/** Null stands for the open end of a range. */
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
