import type { BlobInfo, BlobRef, CollectedBlobs } from '../../database/index.ts';
import { BLOB_TYPE, BLOBS_LISTED_MAX } from '../http/index.ts';
import type { HttpClient } from './http-client.ts';
import type { BlobAccess } from './node-target.ts';

const PATH = '/api/v1/blobs';

/** Blobs of the running node. */
export function createRemoteBlobs(client: HttpClient): BlobAccess {
  return {
    put: async (source, type, signal) => {
      const path = type === undefined ? PATH : `${PATH}?${new URLSearchParams({ type })}`;
      const request = { method: 'POST', path, body: source, type: BLOB_TYPE, answerMsMax: Infinity, signal } as const;
      return (await client.json(request)) as BlobRef;
    },
    async *get(id, signal) {
      const request = { method: 'GET', path: `${PATH}/${id}`, answerMsMax: Infinity, signal } as const;
      yield* client.bytes(request);
    },
    async *list(signal) {
      for (let after: string | null = ''; after !== null; ) {
        const query = new URLSearchParams({ limit: String(BLOBS_LISTED_MAX), ...(after === '' ? {} : { after }) });
        const request = { method: 'GET', path: `${PATH}?${query}`, answerMsMax: Infinity, signal } as const;
        const page = (await client.json(request)) as { blobs: readonly BlobInfo[]; next: string | null };
        yield* page.blobs;
        after = page.next;
      }
    },
    collect: async (olderThanDays, signal) => {
      const body = JSON.stringify({ olderThanDays });
      const request = { method: 'POST', path: `${PATH}/collection`, body, answerMsMax: Infinity, signal } as const;
      return (await client.json(request)) as CollectedBlobs;
    },
  };
}
