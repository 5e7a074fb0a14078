/**
 * Goal: a transaction is atomic and isolated: it is committed whole or not at all, as if it had run alone at the moment of its
 * commit, whatever others write meanwhile; and it does not block other writes. Method: single interleavings with a manual
 * clock, then random transfers between accounts while remote versions arrive, checked by invariants.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { LIMITS } from '../../core/config/index.ts';
import type { Transaction } from '../api.ts';
import { applyRemote, collect, openTestDatabase, testOnStores, turn } from '../test-database.ts';

const SCALE = Number(process.env.ENTGLDB_TEST_SCALE ?? 1);

interface Account {
  balance: number;
}

testOnStores(
  'writes to several collections are one commit, and the result of the function is returned',
  async (disk) => {
    await using opened = await openTestDatabase(disk);
    const { db } = opened;
    const accounts = db.collection<Account>('accounts');
    await accounts.putMany([
      ['a', { balance: 10 }],
      ['b', { balance: 0 }],
    ]);
    const commits: string[][] = [];
    db.replica.onCommit(({ changed }) => commits.push(changed.map(({ collection, key }) => `${collection}/${key}`)));
    const left = await db.transaction(async (tx) => {
      const inside = tx.collection(accounts);
      const { balance } = await inside.require('a');
      await inside.put('a', { balance: balance - 3 });
      await inside.increment('b', 'balance', 3);
      await tx.collection('log').add({ moved: 3 });
      return balance - 3;
    });
    assert.equal(left, 7);
    assert.deepEqual(
      commits.map((places) => places.map((place) => place.replace(/log\/.*/, 'log'))),
      [['accounts/a', 'accounts/b', 'log']],
    );
    assert.deepEqual(await accounts.find(), [{ balance: 7 }, { balance: 3 }]);
  },
);

testOnStores('a transaction sees its writes, nobody else does, and if it throws nothing is written', async (disk) => {
  await using opened = await openTestDatabase(disk);
  const { db } = opened;
  const notes = db.collection<{ n: number }>('notes');
  await notes.putMany(['a', 'b', 'c', 'd'].map((key, n) => [key, { n }] as const));
  const failure = new Error('changed my mind');
  const posBefore = db.replica.pos;
  await assert.rejects(
    db.transaction(async (tx) => {
      const inside = tx.collection(notes);
      await inside.put('bb', { n: 10 });
      await inside.put('c', { n: 20 });
      await inside.delete('a');
      await inside.put('e', { n: 30 });
      assert.deepEqual(await inside.get('bb'), { n: 10 });
      assert.equal(await inside.get('a'), undefined);
      await assert.rejects(inside.require('a'), { reason: 'DOCUMENT_NOT_FOUND' });
      assert.equal(await inside.count(), 5);
      assert.equal(await inside.count({ n: { $gte: 10 } }), 3);
      assert.deepEqual(await collect(inside.keys()), ['b', 'bb', 'c', 'd', 'e']);
      assert.deepEqual(await inside.find({}, { sort: { n: -1 }, skip: 1, limit: 2 }), [{ n: 20 }, { n: 10 }]);
      assert.deepEqual(await inside.findEntries({ n: { $lt: 11 } }), [
        ['b', { n: 1 }],
        ['bb', { n: 10 }],
        ['d', { n: 3 }],
      ]);
      const { version } = (await inside.getVersioned('c'))!;
      await inside.put('c', { n: 21 }, { ifVersion: version });
      await assert.rejects(inside.put('d', { n: 0 }, { ifVersion: null }), { reason: 'CONCURRENCY_CONFLICT' });
      assert.equal(await inside.delete('a'), false);
      assert.deepEqual(await notes.find(), [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]);
      throw failure;
    }),
    (error) => error === failure,
  );
  assert.equal(db.replica.pos, posBefore);
  assert.deepEqual(await notes.find(), [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]);
});

/** Runs `between` after the first read of the first run, and returns how often the function ran. */
async function interrupted(
  read: (tx: Transaction) => Promise<unknown>,
  between: (db: Awaited<ReturnType<typeof openTestDatabase>>['db']) => unknown,
): Promise<number> {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.collection('a').putMany(['x', 'y'].map((key) => [key, { n: 1 }] as const));
  await db.collection('b').put('x', { n: 1 });
  let runs = 0;
  await db.transaction(async (tx) => {
    await read(tx);
    if (++runs === 1) await between(db);
    await tx.collection('out').put('k', { runs });
  });
  assert.deepEqual(await db.collection('out').get('k'), { runs });
  return runs;
}

test('it runs again if a document it has read, or a collection it has queried, changes, and otherwise not', async () => {
  const get = (tx: Transaction): Promise<unknown> => tx.collection('a').get('x');
  const find = (tx: Transaction): Promise<unknown> => tx.collection('a').find({ n: 99 });
  const count = (tx: Transaction): Promise<unknown> => tx.collection('a').count();
  const keys = (tx: Transaction): Promise<unknown> => collect(tx.collection('a').keys());
  const none = async (): Promise<void> => {};
  assert.equal(await interrupted(get, (db) => applyRemote(db, 'a', 'x', '{"n":5}')), 2);
  assert.equal(await interrupted(get, (db) => db.collection('a').put('x', { n: 2 })), 2);
  assert.equal(await interrupted(get, (db) => void db.collection('a').delete('x')), 2, 'pending writes count as well');
  assert.equal(await interrupted(get, (db) => db.collection('a').put('y', { n: 2 })), 1);
  assert.equal(await interrupted(get, (db) => db.collection('b').put('x', { n: 2 })), 1);
  for (const read of [find, count, keys]) {
    assert.equal(await interrupted(read, (db) => applyRemote(db, 'a', 'z', '{"n":99}')), 2);
    assert.equal(await interrupted(read, (db) => db.collection('b').put('z', { n: 99 })), 1);
  }
  assert.equal(
    await interrupted(none, (db) => db.collection('out').put('k', { n: 2 })),
    1,
    'a write without a read depends on nothing',
  );
});

test('all reads of one run show the same moment', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const pair = db.collection<{ n: number }>('pair');
  const both = (n: number): Promise<void> =>
    pair.putMany([
      ['left', { n }],
      ['right', { n }],
    ]);
  await both(0);
  let runs = 0;
  const seen = await db.transaction(async (tx) => {
    const inside = tx.collection(pair);
    const left = await inside.require('left');
    if (++runs < 3) await both(runs);
    const right = await inside.require('right').catch((error: Error) => {
      assert.equal(error.constructor.name, 'Interrupted');
      return inside.require('right');
    });
    assert.equal(left.n, right.n, 'the two are equal at every moment');
    return right.n;
  });
  assert.equal(seen, 2);
  assert.equal(runs, 3);
});

test('after transactionAttemptsMax runs it fails with CONCURRENCY_CONFLICT and names the document', async () => {
  await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, transactionAttemptsMax: 3 } });
  const { db } = opened;
  const hot = db.collection<{ n: number }>('hot');
  await hot.put('a', { n: 0 });
  let runs = 0;
  await assert.rejects(
    db.transaction(async (tx) => {
      await tx.collection(hot).get('a');
      await hot.put('a', { n: ++runs });
      await tx.collection(hot).put('b', { n: runs });
    }),
    { reason: 'CONCURRENCY_CONFLICT', details: { collection: 'hot', key: 'a', current: undefined } },
  );
  assert.equal(runs, 3);
  assert.deepEqual(await collect(hot.keys()), ['a']);
});

test('a nested transaction fails; work started within one may begin another after it has ended', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  let later: Promise<number> | undefined;
  await db.transaction(async () => {
    await assert.rejects(
      db.transaction(() => 1),
      { name: 'TypeError', message: /within another/ },
    );
    later = over.then(() => db.transaction(() => 2));
  });
  end();
  assert.equal(await later, 2);
});

test('its collections cannot be used after its end', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const kept = await db.transaction((tx) => tx.collection('a'));
  for (const use of [() => kept.get('k'), () => kept.put('k', {}), () => kept.count(), () => collect(kept.keys())])
    await assert.rejects(use, { name: 'TypeError', message: /is over/ });
  assert.equal(await db.collection('a').count(), 0);
});

test('a transaction that takes too long times out, and the next one runs', async () => {
  await using opened = await openTestDatabase();
  const { db, clock } = opened;
  const { promise: never } = Promise.withResolvers<void>();
  let began = false;
  const stuck = db.transaction(
    async (tx) => {
      began = true;
      await tx.collection('a').put('k', { n: 1 });
      await never;
    },
    { timeoutMs: 100 },
  );
  const next = db.transaction((tx) => tx.collection('a').add({ n: 2 }));
  while (!began) await turn();
  await db.collection('a').put('meanwhile', { n: 3 });
  const failed = assert.rejects(stuck, { code: 'TIMEOUT_ERROR', reason: 'TIMED_OUT', message: /100 ms/ });
  clock.advance(100);
  await failed;
  await next;
  assert.deepEqual(
    (await db.collection('a').find({}, { sort: { n: 1 } })).map(({ n }) => n),
    [2, 3],
  );
});

test('a signal ends a transaction that waits for its turn, and one that runs', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const stop = new AbortController();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const first = db.transaction(async (tx) => {
    await gate;
    await tx.collection('a').put('first', {});
  });
  const waiting = db.transaction((tx) => tx.collection('a').put('second', {}), { signal: stop.signal });
  const third = db.transaction((tx) => tx.collection('a').put('third', {}));
  const reason = new Error('enough');
  stop.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  open();
  await Promise.all([first, third]);
  const running = new AbortController();
  const cut = db.transaction(
    async (tx) => {
      await tx.collection('a').put('fourth', {});
      running.abort(reason);
      await turn();
    },
    { signal: running.signal },
  );
  await assert.rejects(cut, (error) => error === reason);
  await turn();
  assert.deepEqual(await collect(db.collection('a').keys()), ['first', 'third']);
});

test('the size of a transaction, the number of waiting ones, and the recorded reads are bounded', async () => {
  const limits = {
    ...LIMITS,
    transactionDocumentsMax: 3,
    transactionBytesMax: 60,
    transactionsWaitingMax: 2,
    transactionReadsMax: 2,
  };
  await using opened = await openTestDatabase(undefined, { limits });
  const { db } = opened;
  const puts = (keys: string, value: { text?: string }) => (tx: Transaction) =>
    Promise.all([...keys].map((key) => tx.collection('a').put(key, value)));
  await db.transaction(puts('abcab', {}));
  await assert.rejects(db.transaction(puts('abcd', {})), { reason: 'TRANSACTION_TOO_LARGE' });
  await assert.rejects(db.transaction(puts('ab', { text: 'x'.repeat(40) })), { reason: 'TRANSACTION_TOO_LARGE' });
  const line = Array.from({ length: 3 }, () => db.transaction(() => turn()));
  const refused = (await Promise.allSettled(line)).filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 1);
  assert.equal((refused[0] as PromiseRejectedResult).reason.reason, 'WRITE_QUEUE_FULL');
  let runs = 0;
  await db.transaction(async (tx) => {
    for (const key of 'abc') await tx.collection('a').get(key);
    if (++runs === 1) await db.collection('a').put('far', { n: 1 });
  });
  assert.equal(runs, 2, 'beyond the bound the whole collection counts as read');
});

test('the schema of a collection validates the writes of a transaction', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  const users = db.collection('users', { schema: z.object({ name: z.string().trim() }) });
  await assert.rejects(
    db.transaction(async (tx) => {
      await tx.collection('other').put('k', {});
      await tx.collection(users).put('a', { name: 1 as unknown as string });
    }),
    { reason: 'DOCUMENT_INVALID' },
  );
  await db.transaction((tx) => tx.collection(users).put('a', { name: ' A ' }));
  assert.deepEqual(await users.get('a'), { name: 'A' });
  assert.equal(await db.collection('other').count(), 0);
});

test('a collection of another database or of a transaction, and an invalid name, are refused', async () => {
  await using one = await openTestDatabase(undefined, { seed: 1 });
  await using two = await openTestDatabase(undefined, { seed: 2 });
  const foreign = two.db.collection('a');
  await one.db.transaction(async (tx) => {
    assert.throws(() => tx.collection(foreign), { name: 'TypeError', message: /another database/ });
    const ofSecondCopy = { name: 'a', get: () => {} } as never;
    assert.throws(() => tx.collection(ofSecondCopy), { name: 'TypeError', message: /another database/ });
    assert.throws(() => tx.collection(tx.collection('a') as never), TypeError);
    assert.throws(() => tx.collection(''), { reason: 'INVALID_NAME' });
    assert.throws(() => tx.collection(7 as never), { reason: 'INVALID_NAME' });
    await two.db.transaction(() => 'of another database is not nested');
  });
});

test('a transaction with a write to a frozen collection, or on a closed database, fails as a whole', async () => {
  await using opened = await openTestDatabase();
  const { db } = opened;
  await db.collection('b').put('k', { n: 1 });
  await db.narrow('b');
  const writing = db.transaction(async (tx) => {
    await tx.collection('a').put('k', { n: 1 });
    await tx.collection('b').put('k', { n: 2 });
  });
  await assert.rejects(writing, { reason: 'COLLECTION_NOT_WANTED' });
  assert.equal(await db.collection('a').count(), 0);
  await db.close();
  await assert.rejects(
    db.transaction(() => 1),
    { reason: 'DATABASE_CLOSED' },
  );
});

const ACCOUNTS = 4;

test('random transfers never change the sum of all accounts, seen from inside and outside', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('move' as const),
      from: fc.nat(ACCOUNTS - 1),
      to: fc.nat(ACCOUNTS - 1),
      amount: fc.integer({ min: 1, max: 5 }),
      waits: fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('remote' as const), account: fc.nat(ACCOUNTS - 1), note: fc.nat(9) }),
    fc.record({ kind: fc.constant('update' as const), account: fc.nat(ACCOUNTS - 1) }),
    fc.record({ kind: fc.constant('turn' as const) }),
  );
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
    await using opened = await openTestDatabase(undefined, { limits: { ...LIMITS, transactionAttemptsMax: 1000 } });
    const { db } = opened;
    const accounts = db.collection<{ balance: number; touched: number }>('accounts', { resolver: 'lww' });
    const names = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);
    await accounts.putMany(names.map((name) => [name, { balance: 100, touched: 0 }] as const));
    const total = async (): Promise<number> => (await accounts.find()).reduce((sum, { balance }) => sum + balance, 0);
    db.replica.onCommit(({ changed }) => {
      for (const { collection, value } of changed) {
        if (collection === 'accounts') assert.ok(value !== null);
      }
    });
    const moves: Promise<unknown>[] = [];
    let updates = 0;
    let seq = 0;
    for (const act of steps) {
      if (act.kind === 'turn') await turn();
      else if (act.kind === 'update') {
        updates++;
        moves.push(accounts.update(names[act.account]!, (a) => ({ ...a, touched: a.touched + 1 })));
      } else if (act.kind === 'remote') {
        // A remote version that loses to the local one: the document changes, but not what readers see.
        applyRemote(db, 'accounts', names[act.account]!, `{"balance":0,"touched":${act.note}}`, ++seq);
      } else {
        moves.push(
          db.transaction(async (tx) => {
            const inside = tx.collection(accounts);
            const pause = async (turns: number): Promise<void> => {
              for (let i = 0; i < turns; i++) await turn();
            };
            await pause(act.waits[0]!);
            const from = await inside.require(names[act.from]!);
            await pause(act.waits[1]!);
            const all = await inside.find();
            assert.equal(
              all.reduce((sum, { balance }) => sum + balance, 0),
              ACCOUNTS * 100,
              'seen from inside',
            );
            if (from.balance < act.amount || act.from === act.to) return;
            await inside.put(names[act.from]!, { ...from, balance: from.balance - act.amount });
            await pause(act.waits[2]!);
            await inside.increment(names[act.to]!, 'balance', act.amount);
          }),
        );
      }
      assert.equal(await total(), ACCOUNTS * 100, 'seen from outside');
    }
    await Promise.all(moves);
    assert.equal(await total(), ACCOUNTS * 100);
    const touched = (await accounts.find()).reduce((sum, account) => sum + account.touched, 0);
    assert.equal(touched, updates, 'no update was lost');
  });
  await fc.assert(property, { numRuns: 40 * SCALE });
});
