import { createHash, hash } from 'node:crypto';
import { DatabaseCorruptionError } from '../../core/errors/index.ts';
import { BLOBS_COLLECTION, type DocumentKey } from '../../core/ids/index.ts';

/**
 * The documents of `$blobs`. A key is a letter and a SHA-256, so equal content is the same document on all nodes:
 *
 *     b<64 hex of all bytes>        {"size":…,"chunks":[[hash, bytes], …]}   a blob of up to LIST_CHUNKS_MAX chunks
 *                                   {"size":…,"lists":[[hash, bytes], …]}    a larger one
 *     l<43 base64url of its text>   {"chunks":[[hash, bytes], …]}            a part of a chunk list
 *     c<43 base64url of its bytes>  {"data":"<base64>"}                      a chunk
 */
export interface Part {
  readonly hash: string;
  readonly bytes: number;
}

export interface BlobManifest {
  readonly size: number;
  readonly kind: 'chunks' | 'lists';
  readonly parts: readonly Part[];
}

/** Chunks in one list: about 50 KB of text for 128 MiB of bytes. */
export const LIST_CHUNKS_MAX = 1024;

export function blobKey(id: string): DocumentKey {
  return `b${id}` as DocumentKey;
}

export function listKey(part: string): DocumentKey {
  return `l${part}` as DocumentKey;
}

export function chunkKey(part: string): DocumentKey {
  return `c${part}` as DocumentKey;
}

export function hashOf(content: Uint8Array | string): string {
  return hash('sha256', content, 'base64url');
}

/** Computes the `$blob` of bytes that come in pieces; `digest` returns 64 hex digits. */
export function createBlobHash(): { update(bytes: Uint8Array): void; digest(): string } {
  const all = createHash('sha256');
  return { update: (bytes) => void all.update(bytes), digest: () => all.digest('hex') };
}

export function chunkToText(chunk: Buffer): string {
  return `{"data":"${chunk.toString('base64')}"}`;
}

/** Throws DOCUMENT_CORRUPT if the hash of the bytes is not `name`. */
export function chunkFromText(text: string, name: string): Buffer {
  const { data } = JSON.parse(text) as { readonly data?: unknown };
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
  if (bytes === undefined || hashOf(bytes) !== name) throw corrupt(chunkKey(name));
  return bytes;
}

export function listToText(parts: readonly Part[]): string {
  return `{"chunks":${partsToText(parts)}}`;
}

export function listFromText(text: string, name: string): readonly Part[] {
  const { chunks } = JSON.parse(text) as { readonly chunks?: unknown };
  if (hashOf(text) !== name) throw corrupt(listKey(name));
  return parseParts(chunks, listKey(name));
}

export function manifestToText({ size, kind, parts }: BlobManifest): string {
  return `{"size":${size},"${kind}":${partsToText(parts)}}`;
}

export function manifestFromText(text: string, id: string): BlobManifest {
  const { size, chunks, lists } = JSON.parse(text) as Record<'size' | 'chunks' | 'lists', unknown>;
  const kind = lists === undefined ? 'chunks' : 'lists';
  const parts = parseParts(lists ?? chunks, blobKey(id));
  if (parts.reduce((sum, { bytes }) => sum + bytes, 0) !== size) throw corrupt(blobKey(id));
  return { size, kind, parts };
}

function partsToText(parts: readonly Part[]): string {
  return JSON.stringify(parts.map(({ hash, bytes }) => [hash, bytes]));
}

function parseParts(value: unknown, key: DocumentKey): readonly Part[] {
  if (!Array.isArray(value)) throw corrupt(key);
  return value.map((part: unknown) => {
    const [hash, bytes] = Array.isArray(part) ? (part as unknown[]) : [];
    if (typeof hash !== 'string' || !/^[\w-]{43}$/.test(hash) || !Number.isSafeInteger(bytes)) throw corrupt(key);
    return { hash, bytes: bytes as number };
  });
}

export function corrupt(key: string): DatabaseCorruptionError {
  return new DatabaseCorruptionError(
    `the blob document ${key} does not hold what its name says; put the same bytes again to replace it`,
    { reason: 'DOCUMENT_CORRUPT', details: { collection: BLOBS_COLLECTION, key } },
  );
}
