/**
 * Goal: dials that time out under load reduce the load instead of adding to it. Method: the window by itself; then a supervisor
 * with many peers, whose dials time out whenever more than a few of them are under way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetworkError, TimeoutError } from '../../core/errors/index.ts';
import { DialWindow } from './dial-window.ts';
import { createWorld, introduce, linked } from './test-world.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7006);
const BUSY = new TimeoutError('did not answer', { details: { isConnected: true } });

test('peers that are too busy halve the window, absent ones do not, and it grows again', () => {
  const window = new DialWindow(16);
  window.failed(new TimeoutError('away', { details: { isConnected: false } }));
  window.failed(new NetworkError('CONNECT_FAILED', 'refused'));
  assert.equal(window.size, 16);
  window.failed(BUSY);
  assert.equal(window.size, 8);
  window.failed(new NetworkError('CONNECT_FAILED', 'none of 2 addresses answers', { cause: BUSY }));
  for (let i = 0; i < 10; i++) window.failed(BUSY);
  assert.equal(window.size, 4);
  for (let i = 0; i < 20; i++) window.answered();
  assert.equal(window.size, 16);
  const small = new DialWindow(2);
  small.failed(BUSY);
  assert.equal(small.size, 2, 'never more than was asked for');
});

test('peers that time out when many are dialled simultaneously are all linked soon', async () => {
  const world = createWorld(SEED);
  const names = Array.from({ length: 40 }, (_, i) => `b${i}`);
  const others = await Promise.all(names.map((name) => world.startNode(name)));
  let underWay = 0;
  const a = await world.startNode(
    'a',
    { limits: { fullMeshNodesMax: 100 } },
    'a',
    async (dial, _address, { onAnswer }) => {
      onAnswer?.();
      underWay++;
      try {
        // The machine has time for six handshakes; with seven under way, none completes in time.
        for (let ms = 0; ms < 5000; ms += 500) {
          await new Promise<void>((resolve) => world.clock.setTimer(500, resolve));
          if (ms >= 2000 && underWay <= 6) return await dial();
        }
        throw BUSY;
      } finally {
        underWay--;
      }
    },
  );
  introduce([a, ...others]);
  const ms = await world.runUntil(() => linked(a).length === others.length, 300_000);
  assert.ok(ms < 120_000, `${ms} ms (seed ${SEED})`);
});
