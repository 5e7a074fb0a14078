import { claimAside } from './aside-conformance.ts';
import { claimDocuments } from './document-conformance.ts';
import { claimIndexes } from './index-conformance.ts';
import { claimLife } from './life-conformance.ts';
import { claimReads } from './read-conformance.ts';
import { claimState } from './state-conformance.ts';
import { claimHistories } from './store-histories.ts';
import type { Claim, StoreConformanceOptions } from './store-under-test.ts';

/** Registers the tests that every adapter of the Store port must pass. Call it with your test function and a factory. */
export function runStoreConformance(options: StoreConformanceOptions): void {
  const claim: Claim = (name, run, limits) => {
    options.test(name, async () => {
      const under = await options.factory(limits);
      try {
        await run(under);
      } finally {
        await under.dispose();
      }
    });
  };
  claimDocuments(claim);
  claimReads(claim);
  claimIndexes(claim);
  claimAside(claim);
  claimState(claim);
  claimLife(claim);
  claimHistories(options);
}
