import type { BenchCase, Scale } from './bench-case.ts';
import * as cases from './cases/index.ts';
import { besidePeers } from './peer-cases.ts';

/** Every case: first local work, then two nodes, then what a node costs. */
export async function allCases(scale: Scale): Promise<BenchCase[]> {
  const made = [
    cases.bulkWrite,
    cases.randomUpdate,
    cases.singleWriteNormal,
    cases.singleWriteFull,
    cases.pointRead,
    cases.indexedRange,
    cases.firstSync,
    cases.indexedFirstSync,
    cases.largeFirstSync(scale),
    cases.firstSyncInSmallHeap(scale),
    cases.liveLatencyNormal,
    cases.liveLatencyFull,
    cases.catchUp,
    cases.growth(scale),
    cases.equalMeet(scale),
    cases.coldStart(scale),
    cases.idle(scale),
    cases.eventLoop(scale),
    cases.diskOverhead,
    cases.churn(scale),
    cases.installAndImport,
  ];
  return scale.withPeers ? besidePeers(made) : made;
}
