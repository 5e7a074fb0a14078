import type { CollectionName } from '../core/ids/index.ts';

export const COUNTING = 'counting:';

/** Name among the metadata while a damaged collection is counted anew (R11): its sums are not those of its rows until then. */
export function countingMark(collection: CollectionName): string {
  return `${COUNTING}${collection}`;
}
