import type { CollectionName } from '../../../core/ids/index.ts';
import { allEntries, type Entry, type Store } from '../../../store/index.ts';
import type { Draft } from '../draft.ts';

/** What memory keeps of an entry of the conflict ledger. Its two values, which may be large, stay in the store. */
export interface LedgerHead {
  readonly id: number;
  /** When it was made, in ms of the time that the database was in use. */
  readonly lived: number;
  /** Characters of its values. */
  readonly characters: number;
  readonly collection: CollectionName;
  /** The write that lost: key of the document, NUL, `replica:seq`. */
  readonly write: string;
}

/** Heads in one block: few enough that those of the unfinished block are read from its entries. */
const BLOCK_HEADS = 32;

/**
 * The side table `conflict-heads`: the heads of the ledger in blocks of 32, so that a start reads them without the values. A block has
 * the id of its last entry, is written with that entry, and goes with it. Ids are dense, and the oldest entries go first. So what no
 * block covers, because it is of the unfinished block or of an earlier release, is known, and read from the entries themselves.
 */
export class LedgerHeads {
  readonly #store: Store;
  readonly #headOf: (entry: Entry) => LedgerHead;

  constructor(store: Store, headOf: (entry: Entry) => LedgerHead) {
    this.#store = store;
    this.#headOf = headOf;
  }

  /** All heads, oldest first. */
  *read(): Generator<LedgerHead> {
    const [oldest] = this.#store.entries('conflicts', 0, 1);
    if (oldest === undefined) return;
    let next = oldest.id;
    for (const block of allEntries(this.#store, 'conflict-heads', oldest.id - 1)) {
      for (const head of parseBlock(block)) {
        if (head.id < next) continue;
        if (head.id > next) yield* this.#fromEntries(next, head.id);
        yield head;
        next = head.id + 1;
      }
    }
    yield* this.#fromEntries(next, Number.POSITIVE_INFINITY);
  }

  /** Adds the block to the draft that the newest of these heads completes, if it completes one. */
  added(draft: Draft, kept: readonly LedgerHead[]): void {
    const id = kept.at(-1)?.id ?? 0;
    if (id % BLOCK_HEADS !== 0) return;
    const block = kept.slice(-BLOCK_HEADS).filter((head) => head.id > id - BLOCK_HEADS);
    draft.entry({ space: 'conflict-heads', id, data: blockText(block) });
  }

  /** Adds the removal of the block that ends with this entry. */
  forgotten(draft: Draft, id: number): void {
    if (id % BLOCK_HEADS === 0) draft.entry({ space: 'conflict-heads', id, data: null });
  }

  *#fromEntries(from: number, before: number): Generator<LedgerHead> {
    for (const entry of allEntries(this.#store, 'conflicts', from - 1)) {
      if (entry.id >= before) return;
      yield this.#headOf(entry);
    }
  }
}

type HeadRow = [id: number, lived: number, characters: number, collection: CollectionName, write: string];

function blockText(heads: readonly LedgerHead[]): string {
  const rows = heads.map(
    ({ id, lived, characters, collection, write }): HeadRow => [id, lived, characters, collection, write],
  );
  return JSON.stringify(rows);
}

function parseBlock({ data }: Entry): LedgerHead[] {
  const rows = JSON.parse(data) as HeadRow[];
  return rows.map(([id, lived, characters, collection, write]) => ({ id, lived, characters, collection, write }));
}
