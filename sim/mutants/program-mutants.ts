import type { Mutant } from './mutant.ts';

const QUEUE = 'src/resilience/offline-queue';
const HISTORY = 'src/database/history/history-log.ts';

/** What programs use besides documents: the offline queue, history, restored conflicts, receipts, and the comparison of nodes. */
export const PROGRAM_MUTANTS: readonly Mutant[] = [
  {
    name: 'queued operations done before they are durable',
    rule: 'an operation whose enqueue rejects was not done',
    file: `${QUEUE}/offline-queue.ts`,
    find: 'await keeper.flush();\n    try {',
    replace: 'try {',
    campaign: 'programs',
    first: 20_000_010,
  },
  {
    name: 'a queue that pauses after a failure for ever',
    rule: 'what is queued is done in the end',
    file: `${QUEUE}/auto-flush.ts`,
    find: 'this.#failures = 0;\n      return;\n    }\n    const { signal }',
    replace: 'return;\n    }\n    const { signal }',
    campaign: 'programs',
    events: 3000,
    first: 20_000_037,
  },
  {
    name: 'later operations do not wait for an earlier one',
    rule: 'operations on one document are done in order',
    file: `${QUEUE}/flush-run.ts`,
    find: 'if (blocked.has(documentOf(operation))) result.waiting++;',
    replace: 'if (blocked.has(documentOf(operation)) && operation.attempts > 0) result.waiting++;',
    campaign: 'programs',
  },
  {
    name: 'a failed operation leaves the queue',
    rule: 'an acknowledged operation is done in the end',
    file: `${QUEUE}/flush-run.ts`,
    find: 'if (held !== undefined) table.replace(id, failedOperationText(held, error, clock.now()));',
    replace: 'if (held !== undefined && failedOperationText(held, error, clock.now())) table.remove(id);',
    campaign: 'programs',
  },
  {
    name: 'history of the first change of a commit only',
    rule: 'every replaced value is kept',
    file: HISTORY,
    find: 'for (const change of draft.changes) {',
    replace: 'for (const change of draft.changes.slice(0, 1)) {',
    campaign: 'programs',
  },
  {
    name: 'a history that a refused commit left in memory',
    rule: 'a value is listed if its entry is in the store',
    file: HISTORY,
    find: 'reset(): void {\n    this.#kept = undefined;',
    replace: 'reset(): void {',
    campaign: 'programs',
    first: 56,
  },
  {
    name: 'the winner of a conflict restored',
    rule: 'what lost a conflict can be brought back',
    file: 'src/database/conflicts.ts',
    find: 'const { collection, key, loser } = entry;',
    replace: 'const { collection, key, winner: loser } = entry;',
    campaign: 'programs',
  },
  {
    name: 'a receipt for one write too many',
    rule: 'pendingFor never says less than the truth',
    file: 'src/resilience/receipts/receipts.ts',
    find: 'this.#table.confirm(peer, collection, own, seq, this.#deps.clock.now());',
    replace: 'this.#table.confirm(peer, collection, own, seq + 1, this.#deps.clock.now());',
  },
  {
    name: 'damaged rows not told to a peer that asks',
    rule: 'nodes that say that they are equal hold the same',
    file: 'src/sync/session-runner.ts',
    find: 'sums: isEqual && isSound ? null : said',
    replace: 'sums: isEqual ? null : said',
  },
  {
    name: 'vanished rows not noticed',
    rule: 'a comparison counts the rows that are there',
    file: 'src/resilience/integrity/sum-collection.ts',
    find: 'if (isSameFingerprint(all.value(), state.fingerprint)) return',
    replace: 'if (isSameFingerprint(all.value(), all.value())) return',
  },
];
