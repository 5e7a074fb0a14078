import assert from 'node:assert/strict';
import { parseCollectionName } from '../../core/ids/index.ts';
import { parseIndex, parseQuery, type Query } from '../../core/query/index.ts';
import type { FoundDocument, Store } from '../../store/index.ts';
import { sampleDocument } from '../stored-documents.ts';
import type { Claim } from './store-under-test.ts';

const C = parseCollectionName('c');
const D = parseCollectionName('d');
/** More documents than a store looks at on the event loop. */
const MANY = 4000;

const keyOf = (n: number): string => `k${String(n).padStart(5, '0')}`;

/** Writes documents numbered from `from`, in one commit. */
function write(store: Store, values: readonly object[], from = 0, pos = from + 1): void {
  const documents = values.map((value, i) =>
    sampleDocument({ key: keyOf(from + i), pos: pos + i, versions: [{ seq: pos + i, value: JSON.stringify(value) }] }),
  );
  store.commit({ documents });
}

function many(store: Store): void {
  write(
    store,
    Array.from({ length: MANY }, (_, n) => ({ n, name: `name ${(n * 7919) % MANY}`, even: n % 2 === 0 })),
  );
}

const everything = parseQuery({});
/** The same result by a pattern, for which a store may look at few documents at a time. */
const inParts = parseQuery({ name: { $regex: '^name' } });

/** Queries of all kinds: with and without functions, sorts, pages, and conditions that an index can help with. */
const QUESTIONS: readonly Query[] = [
  everything,
  parseQuery({ name: { $regex: '99$' } }),
  parseQuery({ name: { $regex: '99$' } }, { sort: { name: -1 } as never, skip: 2, limit: 5 }),
  parseQuery({ even: true }),
  parseQuery({ even: true }, { limit: 3 }),
  parseQuery({ n: MANY - 1 }, { limit: 1 }),
  parseQuery({ n: { $gte: 10 } }, { sort: { n: -1 } as never, skip: 3, limit: 20 }),
  parseQuery({ n: { $gte: 10 } }, { sort: { name: 1 } as never, limit: 20 }),
  parseQuery({ n: { $gte: 10 }, name: { $contains: '88' } }, { sort: { n: 1 } as never, limit: 4 }),
  parseQuery({ n: { $in: [5, 7, 9999] } }),
  { ...everything, limit: 700, after: { values: [], key: keyOf(MANY - 900) } },
  { ...parseQuery({}, { sort: { name: 1 } as never, limit: 10 }), after: { values: ['name 5'], key: keyOf(3) } },
  parseQuery({ nothing: { $startsWith: 'x' } }),
];

/** Long queries are answered aside (by a thread), with the same results. */
export function claimAside(claim: Claim): void {
  claim(
    'findAside and countAside give the same results as find and count, with and without an index',
    async ({ store }) => {
      many(store);
      for (const isIndexed of [false, true]) {
        if (isIndexed) store.addIndex(C, parseIndex('n'));
        while (store.workOnIndexes());
        for (const query of QUESTIONS) {
          assert.deepEqual(await store.findAside(C, query), store.find(C, query), JSON.stringify(query));
          assert.equal(await store.countAside(C, query), store.count(C, query), JSON.stringify(query));
        }
      }
      assert.deepEqual(await store.findAside(D, everything), []);
      assert.equal(await store.countAside(D, everything), 0);
    },
  );

  claim('an answer given aside includes every earlier commit, and shows one moment', async ({ store }) => {
    many(store);
    let round = 0;
    const commitBoth = (): void => {
      round++;
      const value = JSON.stringify({ round, name: 'name' });
      const both = [0, MANY - 1].map((n, i) =>
        sampleDocument({ key: keyOf(n), pos: 100_000 + 2 * round + i, versions: [{ seq: 1, value }] }),
      );
      store.commit({ documents: both });
    };
    for (let i = 0; i < 10; i++) {
      commitBoth();
      const before = round;
      let isOver = false;
      const asked = Promise.resolve(store.findAside(C, i % 2 === 0 ? everything : inParts)).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        commitBoth();
        await new Promise(setImmediate);
      }
      const found = await asked;
      const [first, last] = [found[0], found.at(-1)].map((document) => roundOf(document!));
      assert.equal(first, last, 'both ends of the collection were changed by one commit');
      assert.ok(first! >= before, `${first} was committed before ${before}`);
    }
  });

  claim('a signal ends a query aside with its reason', async ({ store }) => {
    many(store);
    const stop = new AbortController();
    const asked = store.findAside(C, everything, stop.signal);
    stop.abort(new Error('enough'));
    if (asked instanceof Promise) await assert.rejects(asked, /^Error: enough$/);
    assert.equal(
      await store.countAside(C, parseQuery({ name: { $regex: '.' } })),
      MANY,
      'others are answered after it',
    );
  });

  claim('simultaneous queries aside each get their own answer', async ({ store }) => {
    many(store);
    const asked = Array.from({ length: 20 }, (_, n) =>
      store.findAside(C, parseQuery({ n, name: { $startsWith: 'n' } })),
    );
    const found = await Promise.all(asked);
    assert.deepEqual(
      found.map((documents) => documents.map(({ key }) => key).join()),
      asked.map((_, n) => keyOf(n)),
    );
  });

  claim('a query aside during close either completes or fails with DATABASE_CLOSED', async ({ store }) => {
    many(store);
    const asked = Promise.resolve(store.findAside(C, everything)).then(
      (found) => found.length,
      (error: { reason?: string }) => error.reason,
    );
    await store.close();
    assert.ok([MANY, 'DATABASE_CLOSED'].includes((await asked) as never), String(await asked));
    assert.throws(() => store.findAside(C, everything), { reason: 'DATABASE_CLOSED' });
  });
}

function roundOf({ value }: FoundDocument): number {
  return (JSON.parse(value) as { readonly round: number }).round;
}
