import { BLOBS_COLLECTION, type DocumentKey } from '../../core/ids/index.ts';
import type { BlobInfo, ListBlobsOptions } from './blob-api.ts';
import { blobKey } from './blob-documents.ts';
import type { BlobsHost } from './blobs-host.ts';
import { readManifest } from './read-blob.ts';

/** Keys read between two turns of the event loop. */
const TURN_KEYS = 100;

/** The blobs whose manifest this node holds, in order of their ids. */
export async function* listBlobs(host: BlobsHost, { after, signal }: ListBlobsOptions): AsyncGenerator<BlobInfo> {
  for await (const key of blobDocumentKeys(host, after === undefined ? 'b' : blobKey(after), 'c', signal)) {
    const id = key.slice(1);
    const manifest = readManifest(host, id);
    if (manifest !== undefined) yield { $blob: id, size: manifest.size };
  }
}

/** The keys of `$blobs` after `from` and before `to`, without reading the documents. */
export async function* blobDocumentKeys(
  host: Pick<BlobsHost, 'commitPending' | 'replica' | 'turn'>,
  from: string,
  to: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<DocumentKey> {
  let after = from as DocumentKey;
  for (let n = 1; ; n++) {
    signal?.throwIfAborted();
    host.commitPending();
    const key = host.replica.store.nthKey(BLOBS_COLLECTION, after, 1);
    if (key === undefined || key >= to) return;
    yield key;
    after = key;
    if (n % TURN_KEYS === 0) await host.turn();
  }
}
