import type { CollectionName } from '../../../core/ids/index.ts';
import type { HeldIndex } from '../tables/index.ts';

/** An index has an entry that does not fit its row, or lacks an entry. */
export class RottenIndexError extends Error {
  readonly indexId: number;

  constructor(indexId: number, message: string) {
    super(message);
    this.indexId = indexId;
  }
}

export function rottenIndex(
  collection: CollectionName,
  { id, definition }: Pick<HeldIndex, 'id' | 'definition'>,
): RottenIndexError {
  const names = [definition.name, collection].map((name) => JSON.stringify(name)).join(' of collection ');
  return new RottenIndexError(id, `the index ${names} does not fit its documents`);
}
