import { BLOBS_COLLECTION } from '../../core/ids/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { LocalDatabase } from '../database.ts';
import type { TestDatabase } from '../test-database.ts';

export const DAY_MS = 24 * 3600 * 1000;

/** For tests: copies the blob documents of one database to another, as a sync session would. */
export function copyBlobs(
  from: LocalDatabase,
  to: LocalDatabase,
  isWanted: (key: string) => boolean = () => true,
): void {
  from.commitPending();
  const versions: RemoteVersion[] = from.replica.store
    .documents(BLOBS_COLLECTION, null, 10_000)
    .filter(({ key }) => isWanted(key))
    .flatMap(({ collection, key, versions }) => versions.map((version) => ({ ...version, collection, key })));
  to.replica.applyRemote(versions, []);
}

/** For tests: collects blobs once a day for some days; returns how many were deleted. */
export async function collectDaily({ db, clock }: TestDatabase, days: number): Promise<number> {
  let blobs = 0;
  for (let day = 0; day < days; day++) {
    clock.advance(DAY_MS);
    blobs += (await db.blobs.collect()).blobs;
  }
  return blobs;
}
