export {
  type ChaosFaults,
  type ChaosTransport,
  type ChaosTransportOptions,
  createChaosTransport,
  type Direction,
  NO_FAULTS,
} from './chaos-transport.ts';
export { createManualClock, type ManualClock, type ManualClockOptions } from './manual-clock.ts';
export { createDatagramNetwork, type DatagramNetwork, type MemoryDatagramPort } from './memory-datagrams.ts';
export { type MemoryReplicaOptions, openMemoryReplica } from './memory-replica.ts';
export {
  createMemoryNetwork,
  type MemoryLimits,
  type MemoryNetwork,
  type MemoryNetworkOptions,
} from './memory-transport.ts';
export { createSeededRandom, type SeededRandom } from './seeded-random.ts';
export { runStoreConformance, type StoreConformanceOptions, type StoreUnderTest } from './store-conformance/index.ts';
export {
  type SampleDocument,
  sampleCheck,
  sampleDocument,
  sampleHead,
  sampleReplica,
  sampleVersion,
} from './stored-documents.ts';
export {
  runTransportConformance,
  type TransportConformanceOptions,
  type TransportPair,
} from './transport-conformance.ts';
