import type { Mutant } from './mutant.ts';

const FEED = 'src/database/feed';

/** What programs are told that follow the changes of a collection, and come back with a resume token. */
export const FEED_MUTANTS: readonly Mutant[] = [
  {
    name: 'changes told before they are durable',
    rule: 'no follower hears of what a crash takes back',
    file: `${FEED}/change-page.ts`,
    find: 'const upTo = Math.min(durablePos, ',
    replace: 'const upTo = Math.min(',
  },
  {
    name: 'a full page of changes taken for all of them',
    rule: 'a page is complete up to its last row',
    file: `${FEED}/change-page.ts`,
    find: 'return rows.length < rowsMax ? Number.POSITIVE_INFINITY : rows.at(-1)!.pos;',
    replace: 'return Number.POSITIVE_INFINITY;',
  },
  {
    name: 'removals not told',
    rule: 'a document that is gone without a write is told as deleted',
    file: `${FEED}/change-page.ts`,
    find: 'item.deadSince === null || item.deadSince > from.seen',
    replace: 'item.deadSince !== null && item.deadSince > from.seen',
  },
  {
    name: 'a deletion lost with its tombstone',
    rule: 'who did not see the tombstone hears of the deletion when it is purged',
    file: `${FEED}/change-page.ts`,
    find: 'item.deadSince === null || item.deadSince > from.seen',
    replace: 'item.deadSince === null',
  },
  {
    name: 'rows passed as seen ahead of their removals',
    rule: 'a page has seen only what no later removal may have taken',
    file: `${FEED}/change-page.ts`,
    find: 'seen: lastGone <= pos ? pos : from.seen',
    replace: 'seen: pos',
  },
  {
    name: 'removals do not wake a follower',
    rule: 'a removal is a change of its collection',
    file: `${FEED}/change-feeds.ts`,
    find: 'for (const { collection, pos } of removed) this.#note(collection, pos);',
    replace: '',
  },
  {
    name: 'resuming before the oldest removal that is known',
    rule: 'a reset, once removals are forgotten',
    file: `${FEED}/change-feeds.ts`,
    find: 'from === LOST || from.pos < replica.store.goneFrom()',
    replace: 'from === LOST',
  },
  {
    name: 'resuming from a position that was lost',
    rule: 'a reset, if the token names changes that this file no longer has',
    file: `${FEED}/change-feeds.ts`,
    find: "return verdict === 'lost' ? LOST : at;",
    replace: 'return at;',
  },
  {
    name: 'a token judged by its position alone',
    rule: 'a reset, if a restored file does not reach the state that the watcher read',
    file: `${FEED}/change-feeds.ts`,
    find: 'judgePosition(replica, at.state)',
    replace: 'judgePosition(replica, at.pos)',
    events: 5000,
    first: 22_004_289,
  },
  {
    name: 'resuming with a token of another file',
    rule: 'a token of another database is refused',
    file: `${FEED}/change-feeds.ts`,
    find: "if (verdict === 'foreign') throw resumeTokenError('comes from another database, or from a later state of this one');",
    replace: '',
  },
  {
    name: 'a page told while a newer change of its document may be lost',
    rule: 'what a failed sync would bring back is not passed over',
    file: `${FEED}/change-iterator.ts`,
    find: 'if (!this.#deps.isDurable(page.wholeAt)) return;',
    replace: '',
  },
];
