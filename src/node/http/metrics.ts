import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type HealthState, METRICS, type MetricName } from '../../diagnostics/index.ts';
import type { PeerStatus } from '../network/index.ts';
import type { NodeStatus, RunningNode } from '../node-api.ts';

export interface NodeMetrics {
  /** Present values in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
  observeRequest(method: string, route: string, status: number, seconds: number): void;
}

/** Loads prom-client when called. */
export async function createNodeMetrics(node: RunningNode): Promise<NodeMetrics> {
  const prom = (await import('prom-client')).default;
  const registry = new prom.Registry();
  prom.collectDefaultMetrics({ register: registry });
  const meters = createMeters(prom, registry);
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
      await read(node, meters);
      return registry.metrics();
    },
    contentType: registry.contentType,
    observeRequest: (method, route, status, seconds) => requests.observe({ method, route, status }, seconds),
  };
}

const HEALTH_VALUES: Readonly<Record<HealthState, number>> = { healthy: 2, degraded: 1, unhealthy: 0 };

type Meters = ReadonlyMap<MetricName, Gauge | Counter>;

function createMeters(prom: typeof import('prom-client'), registry: Registry): Meters {
  const meters = new Map<MetricName, Gauge | Counter>();
  for (const [name, { type, labels, help }] of Object.entries(METRICS)) {
    if (type === 'histogram') continue;
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    meters.set(name as MetricName, type === 'gauge' ? new prom.Gauge(options) : new prom.Counter(options));
  }
  return meters;
}

/** Reads all values at the moment of the request. Even counters are kept where they are counted, not here. */
async function read(node: RunningNode, meters: Meters): Promise<void> {
  const set: SetMeter = (name, value, labels = {}) => meters.get(name)?.inc(labels, value);
  for (const meter of meters.values()) meter.reset();
  const health = await node.health();
  set('entgldb_healthy', health.isHealthy ? 1 : 0, { part: 'all' });
  set('entgldb_healthy', health.databaseHealthy ? 1 : 0, { part: 'database' });
  set('entgldb_healthy', health.networkHealthy ? 1 : 0, { part: 'network' });
  for (const { name, state } of health.checks) set('entgldb_health_check', HEALTH_VALUES[state], { check: name });
  readStatus(node.status(), set);
  readPeers(node.peers(), set);
  for (const { name, value, labels } of await node.metrics()) set(name, value, labels);
}

type SetMeter = (name: MetricName, value: number, labels?: Readonly<Record<string, string>>) => void;

function readStatus(status: NodeStatus, set: SetMeter): void {
  set('entgldb_node_info', 1, { node: status.nodeId, replica: status.replica, version: status.version });
  set('entgldb_started_seconds', status.startedAt / 1000);
  set('entgldb_connected_peers', status.connectedPeers);
  set('entgldb_last_sync_seconds', (status.lastSyncTime ?? 0) / 1000);
  set('entgldb_offline_queue_operations', status.queuedOperations);
  for (const { name, documents } of status.collections) set('entgldb_documents', documents, { collection: name });
}

function readPeers(peers: readonly PeerStatus[], set: SetMeter): void {
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
