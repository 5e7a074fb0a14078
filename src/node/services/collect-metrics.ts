import type { CacheStatistics } from '../../database/index.ts';
import type { CommitNotice } from '../../database/replica/index.ts';
import type { MetricSample, SyncStatus } from '../../diagnostics/index.ts';
import type { StoreStatistics } from '../../store/index.ts';

/** Counts what was committed since the start. */
export class CommitCounts {
  readonly #written = { local: 0, remote: 0, own: 0 };
  #removed = 0;
  #conflicts = 0;

  add({ origin, changed, removed }: CommitNotice): void {
    this.#written[origin] += changed.length;
    this.#removed += removed.length;
    for (const { versions } of changed) if (versions.length > 1) this.#conflicts++;
  }

  samples(): MetricSample[] {
    return [
      ...Object.entries(this.#written).map(
        ([origin, value]): MetricSample => ({ name: 'entgldb_writes_total', value, labels: { origin } }),
      ),
      { name: 'entgldb_removals_total', value: this.#removed },
      { name: 'entgldb_conflicts_total', value: this.#conflicts },
    ];
  }
}

export function cacheSamples(cache: CacheStatistics): MetricSample[] {
  return [
    { name: 'entgldb_cache_hits_total', value: cache.hits },
    { name: 'entgldb_cache_misses_total', value: cache.misses },
    { name: 'entgldb_cache_evictions_total', value: cache.evictions },
    { name: 'entgldb_cache_entries', value: cache.size },
    { name: 'entgldb_cache_bytes', value: cache.sizeBytes },
    { name: 'entgldb_cache_hit_ratio', value: cache.hitRate },
  ];
}

export function storeSamples({ databaseBytes, walBytes }: StoreStatistics): MetricSample[] {
  return [
    { name: 'entgldb_database_bytes', value: databaseBytes },
    { name: 'entgldb_wal_bytes', value: walBytes },
  ];
}

/** Totals of the exchange with peers, and the time since the last sync with each connected one. */
export function syncSamples({ totals, activePeers }: SyncStatus, nowMs: number): MetricSample[] {
  const lags = activePeers.map(({ nodeId, lastSyncTime, connectedSince }): MetricSample => {
    const since = Math.max(lastSyncTime ?? 0, connectedSince ?? 0);
    return { name: 'entgldb_peer_lag_seconds', value: Math.max(0, nowMs - since) / 1000, labels: { peer: nodeId } };
  });
  return [
    { name: 'entgldb_sync_rounds_total', value: totals.syncs },
    { name: 'entgldb_sync_documents_total', value: totals.documents },
    { name: 'entgldb_sync_bytes_total', value: totals.bytes },
    { name: 'entgldb_sync_errors_total', value: totals.errors },
    ...lags,
  ];
}
