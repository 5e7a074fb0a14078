/** The definition of a metric. A `counter` only grows until the node is restarted. */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/**
 * Every metric of a node: name with its unit, type, labels, and help. docs/metrics.md is made from this table. Metrics of the
 * process (`process_…`, `nodejs_…`, including the delay of the event loop) come from prom-client.
 */
export const METRICS = {
  entgldb_node_info: gauge('Always 1; the labels identify the node.', 'node', 'replica', 'version'),
  entgldb_healthy: gauge('1 if the part (all, database, network) is healthy, else 0.', 'part'),
  entgldb_health_check: gauge('State of a health check: 2 healthy, 1 degraded, 0 unhealthy.', 'check'),
  entgldb_started_seconds: gauge('Start of the node, seconds since 1970.'),
  entgldb_documents: gauge('Documents that readers see.', 'collection'),
  entgldb_writes_total: counter(
    'Documents written since the start, by origin: local, remote (from a peer), own (upkeep).',
    'origin',
  ),
  entgldb_removals_total: counter('Rows removed since the start: purged, dropped, evicted or damaged.'),
  entgldb_conflicts_total: counter('Documents written since the start that held several concurrent versions.'),
  entgldb_cache_hits_total: counter('Reads that the document cache answered.'),
  entgldb_cache_misses_total: counter('Reads that went to the database file.'),
  entgldb_cache_evictions_total: counter('Documents that made room for others in the cache.'),
  entgldb_cache_entries: gauge('Documents in the cache.'),
  entgldb_cache_bytes: gauge('Memory that the cache uses, bytes.'),
  entgldb_cache_hit_ratio: gauge('Share of reads that the cache answered, 0 to 1.'),
  entgldb_database_bytes: gauge('Size of the database file, bytes.'),
  entgldb_wal_bytes: gauge('Size of the write-ahead log, bytes.'),
  entgldb_collected_blobs_total: counter('Unreferenced blobs that this node collected automatically since the start.'),
  entgldb_damaged_documents: gauge('Documents that are damaged and not repaired yet.'),
  entgldb_last_scrub_seconds: gauge(
    'When the last scrub read everything and found it sound, seconds since 1970; 0: not yet.',
  ),
  entgldb_last_backup_seconds: gauge('Newest good backup, seconds since 1970; 0: none.'),
  entgldb_definition_mismatches: gauge(
    'Number of points in which programs of connected peers define collections differently from this one.',
  ),
  entgldb_refused_peers: gauge(
    'Addresses of nodes that are kept out until somebody changes something: another token, another release.',
  ),
  entgldb_unequal_collections: gauge(
    'Collections that differ from those of a peer though both know the same. Anything but 0 is an alarm.',
  ),
  entgldb_connected_peers: gauge('Peers with a session.'),
  entgldb_known_peers: gauge('Peers by state: connected, connecting, waiting.', 'state'),
  entgldb_last_sync_seconds: gauge('Last round with any peer, seconds since 1970; 0: none yet.'),
  entgldb_sync_rounds_total: counter('Completed rounds with peers.'),
  entgldb_sync_documents_total: counter('Versions of documents exchanged with peers, both ways.'),
  entgldb_sync_bytes_total: counter('Bytes exchanged with peers, both ways.'),
  entgldb_sync_errors_total: counter('Errors between this node and others.'),
  entgldb_offline_queue_operations: gauge('Operations waiting in the offline queue.'),
  entgldb_peer_lag_seconds: gauge('Time since the last completed round with a connected peer.', 'peer'),
  entgldb_peer_sent_bytes: gauge('Bytes sent to the peer in this session.', 'peer'),
  entgldb_peer_received_bytes: gauge('Bytes received from the peer in this session.', 'peer'),
  entgldb_peer_round_trip_seconds: gauge('Last measured round trip.', 'peer'),
  entgldb_http_request_seconds: {
    type: 'histogram',
    labels: ['method', 'route', 'status'],
    help: 'Time to answer an HTTP request.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

/** One present value of a metric. */
export interface MetricSample {
  readonly name: MetricName;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

function gauge(help: string, ...labels: string[]): MetricDefinition & { readonly type: 'gauge' } {
  return { type: 'gauge', labels, help };
}

function counter(help: string, ...labels: string[]): MetricDefinition & { readonly type: 'counter' } {
  return { type: 'counter', labels, help };
}
