import type { Gauge, Histogram } from 'prom-client';
import type { NodeStatus, PeerStatus, RunningNode } from '../node-api.ts';

/**
 * Every metric of a node: name with its unit, type, labels, and help. docs/metrics.md is compared with it. Those of the process
 * (`process_…`, `nodejs_…`) come from prom-client.
 */
export const METRICS = {
  entgldb_node_info: {
    type: 'gauge',
    labels: ['node', 'replica', 'version'],
    help: 'Always 1; the labels say which node.',
  },
  entgldb_healthy: {
    type: 'gauge',
    labels: ['part'],
    help: '1 if the part (all, database, network) is healthy, else 0.',
  },
  entgldb_started_seconds: { type: 'gauge', labels: [], help: 'Start of the node, seconds since 1970.' },
  entgldb_documents: { type: 'gauge', labels: ['collection'], help: 'Documents that readers see.' },
  entgldb_connected_peers: { type: 'gauge', labels: [], help: 'Peers with a session.' },
  entgldb_known_peers: { type: 'gauge', labels: ['state'], help: 'Peers by state: connected, connecting, waiting.' },
  entgldb_last_sync_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Last round with any peer, seconds since 1970; 0: none yet.',
  },
  entgldb_offline_queue_operations: { type: 'gauge', labels: [], help: 'Operations waiting in the offline queue.' },
  entgldb_peer_sent_bytes: { type: 'gauge', labels: ['peer'], help: 'Bytes sent to the peer in this session.' },
  entgldb_peer_received_bytes: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Bytes received from the peer in this session.',
  },
  entgldb_peer_round_trip_seconds: { type: 'gauge', labels: ['peer'], help: 'Last measured round trip.' },
  entgldb_http_request_seconds: {
    type: 'histogram',
    labels: ['method', 'route', 'status'],
    help: 'Time to answer an HTTP request.',
  },
} as const satisfies Record<string, { type: 'gauge' | 'histogram'; labels: readonly string[]; help: string }>;

type MetricName = keyof typeof METRICS;

export interface NodeMetrics {
  /** The exposition in Prometheus' text format, read now. */
  text(): Promise<string>;
  readonly contentType: string;
  observeRequest(method: string, route: string, status: number, seconds: number): void;
}

/** Loads prom-client when called. */
export async function createNodeMetrics(node: RunningNode): Promise<NodeMetrics> {
  const prom = (await import('prom-client')).default;
  const registry = new prom.Registry();
  prom.collectDefaultMetrics({ register: registry });
  const gauges = new Map<MetricName, Gauge>();
  for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
    if (type === 'gauge') {
      gauges.set(name as MetricName, new prom.Gauge({ name, help, labelNames: [...labels], registers: [registry] }));
    }
  }
  const { labels, help } = METRICS.entgldb_http_request_seconds;
  const requests: Histogram = new prom.Histogram({
    name: 'entgldb_http_request_seconds',
    help,
    labelNames: [...labels],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [registry],
  });
  return {
    text: async () => {
      await read(node, gauges);
      return registry.metrics();
    },
    contentType: registry.contentType,
    observeRequest: (method, route, status, seconds) => requests.observe({ method, route, status }, seconds),
  };
}

async function read(node: RunningNode, gauges: ReadonlyMap<MetricName, Gauge>): Promise<void> {
  const set = (name: MetricName, value: number, labels: Record<string, string> = {}): void => {
    gauges.get(name)?.set(labels, value);
  };
  for (const gauge of gauges.values()) gauge.reset();
  const health = await node.health();
  set('entgldb_healthy', health.isHealthy ? 1 : 0, { part: 'all' });
  set('entgldb_healthy', health.databaseHealthy ? 1 : 0, { part: 'database' });
  set('entgldb_healthy', health.networkHealthy ? 1 : 0, { part: 'network' });
  readStatus(node.status(), set);
  readPeers(node.peers(), set);
}

type SetGauge = (name: MetricName, value: number, labels?: Record<string, string>) => void;

function readStatus(status: NodeStatus, set: SetGauge): void {
  set('entgldb_node_info', 1, { node: status.nodeId, replica: status.replica, version: status.version });
  set('entgldb_started_seconds', status.startedAt / 1000);
  set('entgldb_connected_peers', status.connectedPeers);
  set('entgldb_last_sync_seconds', (status.lastSyncTime ?? 0) / 1000);
  set('entgldb_offline_queue_operations', status.queuedOperations);
  for (const { name, documents } of status.collections) set('entgldb_documents', documents, { collection: name });
}

function readPeers(peers: readonly PeerStatus[], set: SetGauge): void {
  for (const state of ['connected', 'connecting', 'waiting'] as const) {
    set('entgldb_known_peers', peers.filter((peer) => peer.state === state).length, { state });
  }
  for (const peer of peers) {
    const label = { peer: peer.nodeId ?? `${peer.address.host}:${peer.address.port}` };
    set('entgldb_peer_sent_bytes', peer.bytesSent, label);
    set('entgldb_peer_received_bytes', peer.bytesReceived, label);
    if (peer.roundTripMs !== null) set('entgldb_peer_round_trip_seconds', peer.roundTripMs / 1000, label);
  }
}
