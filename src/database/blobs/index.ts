export type {
  BlobContent,
  BlobInfo,
  BlobPresence,
  BlobRef,
  BlobSource,
  Blobs,
  CollectBlobsOptions,
  CollectedBlobs,
  GetBlobOptions,
  ListBlobsOptions,
  PutBlobOptions,
} from './blob-api.ts';
export { BlobKeeper } from './blob-keeper.ts';
export { LocalBlobs } from './blobs.ts';
