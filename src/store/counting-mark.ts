import type { CollectionName } from '../core/ids/index.ts';

export const COUNTING = 'counting:';

/** Key in the metadata while a damaged collection is being recounted (R11). Until that is done, its sums do not fit its rows. */
export function countingMark(collection: CollectionName): string {
  return `${COUNTING}${collection}`;
}
