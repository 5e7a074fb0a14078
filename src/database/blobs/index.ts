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
export { BlobKeeper, type BlobKeeperDeps } from './blob-keeper.ts';
export { LocalBlobs } from './blobs.ts';
