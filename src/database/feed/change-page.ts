import type { CollectionName } from '../../core/ids/index.ts';
import type { GoneDocument, StoredDocument } from '../../store/index.ts';
import type { Replica } from '../replica/index.ts';
import type { FeedPosition } from './resume-token.ts';

/** A change as it waits for its consumer. `value` null: the document is gone. */
export interface FeedChange {
  readonly key: string;
  readonly value: string | null;
  readonly origin: 'local' | 'remote';
  readonly at: FeedPosition;
}

export interface FeedPage {
  readonly changes: readonly FeedChange[];
  /** Where the feed stands once they are delivered. */
  readonly at: FeedPosition;
  /** More rows were read than fit `charactersMax`. */
  readonly isCut: boolean;
}

export interface PageSize {
  readonly rowsMax: number;
  /** Of the values together; one that is larger comes alone. */
  readonly charactersMax: number;
}

/**
 * One page, of a size at most, of what changed in a collection after `from`, in order of position, up to what is
 * durable: rows that are there, merged with the log of those that went. A page is read in one step, without a turn of the
 * event loop in between.
 *
 * A document that was deleted at T and whose tombstone was purged at P > T has only P left in the store. Whoever has seen
 * the row of T needs no second event; whoever comes from before must be told at P. Rows up to `seen` were there when they
 * were read: after this page that is its end, unless removals lie beyond it, whose rows may have been missed in it.
 */
export function readChangePage(
  replica: Replica,
  collection: CollectionName,
  from: FeedPosition,
  { rowsMax, charactersMax }: PageSize,
): FeedPage {
  const { store, durablePos } = replica;
  const rows = store.changes(from.pos, rowsMax);
  const gone = store.gone(from.pos, rowsMax);
  const upTo = Math.min(durablePos, lastOfFull(rows, rowsMax), lastOfFull(gone, rowsMax));
  const lastGone = gone.length === rowsMax ? Number.POSITIVE_INFINITY : (gone.at(-1)?.pos ?? 0);
  const placeOf = (pos: number): FeedPosition => ({ pos, seen: lastGone <= pos ? pos : from.seen });
  const changes: FeedChange[] = [];
  let characters = 0;
  for (const item of mergeByPos(rows, gone)) {
    if (item.pos > upTo) break;
    if (item.collection !== collection) continue;
    const at = placeOf(item.pos);
    characters += 'why' in item ? 0 : (item.value?.length ?? 0);
    if (characters > charactersMax && changes.length > 0) return { changes, at: changes.at(-1)!.at, isCut: true };
    if (!('why' in item)) changes.push({ key: item.key, value: item.value, origin: originOf(item, replica), at });
    else if (item.deadSince === null || item.deadSince > from.seen)
      changes.push({ key: item.key, value: null, origin: item.why === 'dropped' ? 'remote' : 'local', at });
  }
  return { changes, at: placeOf(upTo), isCut: false };
}

/** A full page says nothing about what comes after its last row. */
function lastOfFull(rows: readonly { readonly pos: number }[], rowsMax: number): number {
  return rows.length < rowsMax ? Number.POSITIVE_INFINITY : rows.at(-1)!.pos;
}

function* mergeByPos(
  rows: readonly StoredDocument[],
  gone: readonly GoneDocument[],
): Iterable<StoredDocument | GoneDocument> {
  let r = 0;
  for (const removal of gone) {
    while (r < rows.length && rows[r]!.pos < removal.pos) yield rows[r++]!;
    yield removal;
  }
  while (r < rows.length) yield rows[r++]!;
}

/** A local write leaves one version, of this replica; anything else came with a remote one. */
function originOf({ versions }: StoredDocument, replica: Replica): 'local' | 'remote' {
  return versions.length === 1 && versions[0]!.replica === replica.id ? 'local' : 'remote';
}
