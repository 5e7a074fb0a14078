export type {
  BlobContent,
  BlobPresence,
  BlobRef,
  BlobSource,
  Blobs,
  CollectBlobsOptions,
  CollectedBlobs,
  GetBlobOptions,
  PutBlobOptions,
} from './blob-api.ts';
export { LocalBlobs } from './blobs.ts';
