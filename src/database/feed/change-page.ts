import type { CollectionName } from '../../core/ids/index.ts';
import type { GoneDocument, StoredDocument } from '../../store/index.ts';
import type { Replica } from '../replica/index.ts';
import type { FeedPosition } from './resume-token.ts';

/** A change that waits for its consumer. `value` null: the document was deleted. */
export interface FeedChange {
  readonly key: string;
  readonly value: string | null;
  readonly origin: 'local' | 'remote';
  readonly at: FeedPosition;
}

export interface FeedPage {
  readonly changes: readonly FeedChange[];
  /** The position after these changes. */
  readonly at: FeedPosition;
  /** Whether more rows were read than fit into `charactersMax`. */
  readonly isCut: boolean;
}

/**
 * A page that may be handed over once this position is durable. Until then it may lack changes: a row shows only its newest
 * change, which is not durable yet, and a failed sync would bring back the one before.
 */
export interface ReadPage extends FeedPage {
  readonly wholeAt: number;
}

export interface PageSize {
  readonly rowsMax: number;
  /** Of all values together; a larger value gets a page of its own. */
  readonly charactersMax: number;
}

/**
 * One page of the changes of a collection after `from`, in order of position, up to what is durable: the rows of the store
 * merged with the log of removals. A page is read in one step, without a turn of the event loop in between.
 *
 * If a document was deleted at T and its tombstone purged at P > T, the store only knows P. A watcher that read the row at T
 * needs no second event; one that starts before T must get a delete at P. `seen` tells the two apart: all rows up to `seen`
 * were still in the store when the watcher passed them. After this page `seen` is the end of the page, unless the log has
 * removals beyond that: their rows may be missing from this page. `newest`: no row of the collection has a higher position.
 */
export function readChangePage(
  replica: Replica,
  collection: CollectionName,
  from: FeedPosition,
  newest: number,
  { rowsMax, charactersMax }: PageSize,
): FeedPage {
  const { store, durablePos } = replica;
  const rows = store.changes(from.pos, rowsMax);
  const gone = store.gone(from.pos, rowsMax);
  const upTo = Math.min(durablePos, lastOfFull(rows, rowsMax), lastOfFull(gone, rowsMax));
  const lastGone = gone.length === rowsMax ? Number.POSITIVE_INFINITY : (gone.at(-1)?.pos ?? 0);
  const placeOf = (pos: number): FeedPosition => ({
    pos,
    seen: lastGone <= pos ? pos : from.seen,
    state: Math.max(pos, newest),
  });
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

/** If a page is full, it is only complete up to its last row. */
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

/** A local write leaves exactly one version, of this replica; in any other case a remote version has arrived. */
function originOf({ versions }: StoredDocument, replica: Replica): 'local' | 'remote' {
  return versions.length === 1 && versions[0]!.replica === replica.id ? 'local' : 'remote';
}
