import { join } from 'node:path';
import { type Durability, openRawStore, type RawStore } from './baselines/index.ts';
import type { BaselineName, Figures, Prepared, Subject } from './bench-case.ts';
import { BATCH, documentBatches } from './documents.ts';

export interface RawOptions {
  /** Documents written before the first run. Default: 0. */
  readonly documents?: number;
  readonly durability: Durability;
  /** With the index on prices. Default: without. */
  readonly isIndexed?: boolean;
  /** A new, empty file for every run. Default: one file. */
  readonly isFreshEachRun?: boolean;
  /** The file is reopened for every run, so that nothing is cached in the process. Default: it stays open. */
  readonly isReopenedEachRun?: boolean;
}

type Measure = (store: RawStore, round: number) => Figures;

/** Both baselines, measured in the same way. */
export function rawSubjects(options: RawOptions, measure: Measure): { chained: Subject; row: Subject } {
  return {
    chained: rawSubject('chained', options, measure),
    row: rawSubject('row', options, measure),
  };
}

function rawSubject(name: BaselineName, options: RawOptions, measure: Measure): Subject {
  return async (folder): Promise<Prepared> => {
    const path = (round: number) => join(folder, options.isFreshEachRun ? `run-${round}.db` : 'data.db');
    let store = openRawStore(name, path(0), 'normal');
    for (const batch of documentBatches(options.documents ?? 0, BATCH)) store.write(batch);
    if (options.isIndexed) store.indexPrices();
    const reopen = (round: number) => {
      store.close();
      store = openRawStore(name, path(round), options.durability);
    };
    reopen(0);
    return {
      async run(round) {
        if (options.isFreshEachRun || options.isReopenedEachRun) reopen(round);
        return measure(store, round);
      },
      async close() {
        store.close();
      },
    };
  };
}
