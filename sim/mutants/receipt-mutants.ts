import type { Mutant } from './mutant.ts';

const RECEIPTS = 'src/resilience/receipts';

/** A node hears in the end which of its writes others hold. */
export const RECEIPT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a claim answered by nobody',
    rule: 'what was adopted is claimed back, for the receipts of the other end',
    file: 'src/sync/sender/sender.ts',
    find: 'if (stream?.hasChangedSinceClaim(this.#context.replica.collection(collection))) this.#claims.plan();',
    replace: '',
    first: 200_005,
  },
  {
    name: 'equal nodes confirm nothing',
    rule: 'nodes that find that they are equal hold all that the other wrote',
    file: 'src/sync/sender/sender.ts',
    find: 'this.#confirm(collection, state.knowledge, true);',
    replace: '',
  },
  {
    name: 'former lives wait for claims that nobody can make',
    rule: 'who holds the same holds the writes of former lives',
    file: 'src/sync/sender/sender.ts',
    find: "this.#context.event({ kind: 'same', collection });",
    replace: '',
  },
  {
    name: 'the receipts of a restored peer stay',
    rule: 'what a peer said in one life does not count in the next',
    file: `${RECEIPTS}/receipts.ts`,
    find: 'this.#table.met(peer, node, replica, this.#deps.clock.now());',
    replace: '',
  },
  {
    name: 'nothing is unsynced where nobody has spoken',
    rule: 'unsynced never says less than the truth',
    file: `${RECEIPTS}/receipts.ts`,
    find: 'return least ?? this.#pending(collection, NO_POINTS, countMax);',
    replace: 'return least ?? 0;',
  },
  {
    name: 'one unsynced write stands for many',
    rule: 'unsynced never says less than the truth, in documents',
    file: `${RECEIPTS}/receipts.ts`,
    find: 'this.#leastPending(collection, COUNTED_MAX)',
    replace: 'this.#leastPending(collection, 1)',
  },
];
