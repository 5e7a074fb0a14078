export { CommitLogs } from './commit-logs.ts';
export { isOtherOrigin, readOrigins, writeOrigin, writeOrigins } from './file-origin.ts';
export { FilePlaces } from './file-places.ts';
export { HeadWitness, isBehind, type Witness } from './head-witness.ts';
export { takePassingLock } from './lock-file.ts';
export { inspectMainFile, LOG_SUFFIXES, type MainFile, setStrayLogsAside } from './main-file.ts';
export { MainMark } from './main-mark.ts';
export {
  describesGeneration,
  isCopiedMarker,
  isFirstOpening,
  type Marker,
  markerPathOf,
  readMarker,
  renewMarker,
  writeMarker,
} from './marker.ts';
export { awaitOwner, type OwnerLock, ownerOf, takeOwnerLock } from './owner-lock.ts';
export { createPrivateFile, createPrivateFolder, OWNER_FILE, syncFolderOf } from './private-files.ts';
export { RedoFile } from './redo-file.ts';
export { batchToText, isRecordable, textToBatch } from './redo-record.ts';
export { incomingPathOf, keepReplaced, removeInterruptedRestore, syncFile } from './replaced-files.ts';
export { type DataSync, WalFile } from './wal-file.ts';
