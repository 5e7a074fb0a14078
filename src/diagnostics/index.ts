export {
  type PeerInfo,
  type SyncErrorInfo,
  type SyncStatus,
  SyncStatusTracker,
  type SyncStatusTrackerOptions,
  type SyncTotals,
} from './sync-status-tracker.ts';
