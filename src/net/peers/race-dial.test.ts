/**
 * Goal: the first address that answers wins, and the others leave no channel or attempt behind.
 * Method: a transport whose dials the test answers by hand, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEntglDbError, NetworkError } from '../../core/errors/index.ts';
import { createManualClock } from '../../testing/index.ts';
import type { Address, Channel } from '../transport.ts';
import { raceDial } from './race-dial.ts';

const ADDRESSES = ['one', 'two', 'three'].map((host) => ({ host, port: 5000 }));

function setUp() {
  const clock = createManualClock();
  const dials = new Map<
    string,
    { signal: AbortSignal; answer: (channel: Channel) => void; fail: (error: Error) => void }
  >();
  const closed: string[] = [];
  const transport = {
    dial: (address: Address, options: { readonly signal?: AbortSignal } = {}): Promise<Channel> =>
      new Promise((answer, fail) => dials.set(address.host, { signal: options.signal!, answer, fail })),
  };
  const channel = (name: string): Channel =>
    ({ close: (reason: string) => closed.push(`${name} ${reason}`) }) as unknown as Channel;
  const race = (signal?: AbortSignal, addresses: readonly Address[] = ADDRESSES) =>
    raceDial(transport, addresses, clock, { signal });
  return { clock, dials, closed, channel, race };
}

const failure = (text: string): NetworkError => new NetworkError('CONNECT_FAILED', text);

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('each address has a head start of 250 ms, and a failure ends it', async () => {
  const { clock, dials, channel, race } = setUp();
  const won = race();
  assert.deepEqual([...dials.keys()], ['one']);
  clock.advance(249);
  assert.equal(dials.size, 1);
  clock.advance(1);
  assert.deepEqual([...dials.keys()], ['one', 'two']);
  dials.get('two')!.fail(failure('refused'));
  await settle();
  assert.deepEqual([...dials.keys()], ['one', 'two', 'three']);
  const winner = channel('one');
  dials.get('one')!.answer(winner);
  assert.equal(await won, winner);
});

test('when one address has won the others are aborted, and a channel that still comes is closed', async () => {
  const { clock, dials, closed, channel, race } = setUp();
  const won = race();
  clock.advance(250);
  dials.get('two')!.answer(channel('two'));
  await won;
  assert.ok(dials.get('one')!.signal.aborted);
  dials.get('one')!.answer(channel('one'));
  await settle();
  assert.deepEqual(closed, ['one duplicate']);
  assert.equal(clock.nextTimerAt(), undefined);
  assert.equal(dials.size, 2);
});

test('when all fail the error names each address and keeps the last cause; for a single address it is its own error', async () => {
  const { dials, race } = setUp();
  const lost = assert.rejects(race(), (error: Error) => {
    assert.ok(isEntglDbError(error, 'CONNECT_FAILED'));
    assert.match(error.message, /^no connection by any of 3 addresses: one:5000: one refused; two:5000: .*three/);
    assert.equal((error.cause as Error).message, 'three refused');
    return true;
  });
  for (const host of ['one', 'two', 'three']) {
    dials.get(host)!.fail(failure(`${host} refused`));
    await settle();
  }
  await lost;
  const own = failure('refused');
  const single = race(undefined, ADDRESSES.slice(0, 1));
  dials.get('one')!.fail(own);
  await assert.rejects(single, (error) => error === own);
});

test('an abort ends every attempt and rejects with its reason', async () => {
  const { clock, dials, closed, channel, race } = setUp();
  const controller = new AbortController();
  const lost = race(controller.signal);
  clock.advance(250);
  const reason = new Error('closing');
  controller.abort(reason);
  await assert.rejects(lost, reason);
  assert.ok([...dials.values()].every((dial) => dial.signal.aborted));
  dials.get('one')!.answer(channel('one'));
  await settle();
  assert.deepEqual(closed, ['one duplicate']);
  assert.equal(clock.nextTimerAt(), undefined);
  assert.equal(dials.size, 2);
  await assert.rejects(race(AbortSignal.abort(reason)), reason);
});

test('without an address the dial fails with CONNECT_FAILED', async () => {
  await assert.rejects(setUp().race(undefined, []), (error) => isEntglDbError(error, 'CONNECT_FAILED'));
});
