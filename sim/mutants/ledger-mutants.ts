import type { Mutant } from './mutant.ts';

const REPLICA = 'src/database/replica';

/** I3: a version that loses to a concurrent one is listed. */
export const LEDGER_MUTANTS: readonly Mutant[] = [
  {
    name: 'only the first conflict of a commit listed',
    rule: 'every loser of a commit is listed',
    file: `${REPLICA}/conflicts/conflict-ledger.ts`,
    find: 'for (const contested of draft.contested) {',
    replace: 'for (const contested of draft.contested.slice(0, 1)) {',
  },
  {
    name: 'deletes that lost not listed',
    rule: 'a delete that loses to a value is listed',
    file: `${REPLICA}/conflicts/lost-versions.ts`,
    find: 'return document.versions.filter(isLost)',
    replace: 'return visible.filter(isLost)',
  },
  {
    name: 'a document that had a conflict has no other',
    rule: 'what has lost before does not hide what loses now',
    file: `${REPLICA}/conflicts/lost-versions.ts`,
    find: 'return now.filter(({ loser }) => !earlier.some((old) => isSameWrite(old.loser, loser)));',
    replace: 'return earlier.length > 0 ? [] : now;',
  },
  {
    name: 'a ledger that a refused commit left in memory',
    rule: 'an entry is listed if it is in the store',
    file: `${REPLICA}/replica-state.ts`,
    find: 'this.conflicts.reset();',
    replace: '',
  },
  {
    name: 'the newest entries forgotten at a start',
    rule: 'entries of the unfinished block are read from the ledger itself',
    file: `${REPLICA}/conflicts/ledger-heads.ts`,
    find: 'yield* this.#fromEntries(next, Number.POSITIVE_INFINITY);',
    replace: '',
  },
];
