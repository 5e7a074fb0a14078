/**
 * Goal: an operation is retried exactly when that can help, after random, bounded delays, and its last cause is never lost.
 * Method: a manual clock and scripted failures; every delay is read from the clock's next timer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createManualClock, createSeededRandom, type ManualClock } from '../../testing/index.ts';
import { isEntglDbError, NetworkError, PersistenceError, TimeoutError } from '../errors/index.ts';
import { silentLogger } from '../logging/index.ts';
import { backoffCeilingMs, isTransient, RetryPolicy, type RetryPolicyOptions } from './index.ts';

const SEED = 20260101;

function setUp(options: RetryPolicyOptions = {}) {
  const clock = createManualClock();
  const lines: string[] = [];
  const logger = {
    ...silentLogger,
    debug: () => lines.push('debug'),
    warn: () => lines.push('warn'),
    error: () => lines.push('error'),
  };
  const policy = new RetryPolicy({ logger, ...options, clock, random: createSeededRandom(SEED) });
  return { clock, lines, policy };
}

/** Lets pending promises settle. Nothing here waits for anything but the manual clock. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Runs timers until none is left; returns the delay of each. */
async function runDelays(clock: ManualClock): Promise<number[]> {
  const delays: number[] = [];
  for (await settle(); clock.nextTimerAt() !== undefined; await settle()) {
    const delay = clock.nextTimerAt()! - clock.monotonic();
    delays.push(delay);
    clock.advance(delay);
  }
  return delays;
}

const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' });

test('an operation that finally succeeds gives its result; each attempt gets its number and the signal', async () => {
  const { clock, lines, policy } = setUp();
  const seen: unknown[] = [];
  const { signal } = new AbortController();
  const result = policy.execute(
    (attempt, given) => {
      seen.push([attempt, given === signal]);
      if (attempt < 3) throw refused();
      return 'linked';
    },
    'TCP Connect',
    { signal },
  );
  await runDelays(clock);
  assert.equal(await result, 'linked');
  assert.deepEqual(seen, [
    [1, true],
    [2, true],
    [3, true],
  ]);
  assert.deepEqual(lines, ['debug', 'warn', 'debug', 'warn', 'debug']);
});

test('after the last attempt the error says RETRIES_EXHAUSTED and keeps the last cause', async () => {
  const { clock, lines, policy } = setUp({ maxAttempts: 2 });
  const failures = [refused(), new TimeoutError('no answer within 5000 ms')];
  const result = policy.execute((attempt) => Promise.reject(failures[attempt - 1]), 'TCP Connect');
  const rejected = assert.rejects(result, (error: Error) => {
    assert.ok(isEntglDbError(error, 'RETRIES_EXHAUSTED'));
    assert.equal(error.code, 'NETWORK_ERROR');
    assert.equal(error.cause, failures[1]);
    assert.match(error.message, /TCP Connect failed 2 times.*no answer/);
    return true;
  });
  assert.equal((await runDelays(clock)).length, 1);
  await rejected;
  assert.deepEqual(lines, ['debug', 'warn', 'debug', 'error']);
});

test('a failure that is not transient is rethrown unchanged after one attempt', async () => {
  const { policy, lines } = setUp();
  for (const failure of [new PersistenceError('DISK_FULL', 'full'), new TypeError('bug'), 'a text', undefined]) {
    lines.length = 0;
    await assert.rejects(
      policy.execute(() => Promise.reject(failure), 'TCP Connect'),
      (error) => error === failure,
    );
    assert.deepEqual(lines, ['debug']);
  }
});

test('an abort is never retried, ends a delay immediately and frees its timer', async () => {
  const { clock, policy } = setUp();
  const controller = new AbortController();
  let attempts = 0;
  const fail = (): never => {
    attempts++;
    throw refused();
  };
  const result = policy.execute(fail, 'TCP Connect', { signal: controller.signal });
  await settle();
  const reason = new Error('closing');
  controller.abort(reason);
  await assert.rejects(result, reason);
  assert.equal(clock.nextTimerAt(), undefined);
  await assert.rejects(policy.execute(fail, 'TCP Connect', { signal: controller.signal }), reason);
  assert.equal(attempts, 1);
  const aborted = new DOMException('stopped', 'AbortError');
  await assert.rejects(
    policy.execute(() => Promise.reject(aborted), 'TCP Connect'),
    aborted,
  );
});

test('delays are spread over an interval that doubles up to the cap', async () => {
  const { clock, policy } = setUp({ maxAttempts: 1000, delayMs: 1000, delayMsMax: 30_000 });
  const result = assert.rejects(policy.execute(() => Promise.reject(refused()), 'TCP Connect'));
  const delays = await runDelays(clock);
  await result;
  assert.equal(delays.length, 999);
  for (const [index, delay] of delays.entries()) {
    assert.ok(delay <= Math.min(30_000, 1000 * 2 ** index), `delay ${index} is ${delay} (seed ${SEED})`);
  }
  const capped = delays.slice(5);
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = capped.filter((delay) => Math.floor(delay / 3000) === tenth).length / capped.length;
    assert.ok(share > 0.05 && share < 0.15, `tenth ${tenth} holds ${share} (seed ${SEED})`);
  }
});

test('the ceiling stays finite however many failures there were', () => {
  assert.deepEqual(
    [1, 2, 3, 6, 7, 5000].map((n) => backoffCeilingMs(n, 1000, 30_000)),
    [1000, 2000, 4000, 30_000, 30_000, 30_000],
  );
  assert.equal(backoffCeilingMs(5000, 0, 30_000), 0);
});

test('only network errors and timeouts are transient, whether from this library, the platform or the system', () => {
  const system = (code: string): Error => Object.assign(new Error(code), { code });
  const transient = [
    new NetworkError('CONNECT_FAILED', 'x'),
    new TimeoutError('x'),
    new DOMException('x', 'TimeoutError'),
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'].map(system),
  ];
  for (const error of transient) assert.equal(isTransient(error), true, String(error));
  const lasting = [
    new NetworkError('RETRIES_EXHAUSTED', 'x'),
    new PersistenceError('IO_FAILED', 'x'),
    new DOMException('x', 'AbortError'),
    new Error('x'),
    ...['ENOENT', 'EACCES', 'EADDRINUSE', 'ABORT_ERR'].map(system),
    'ECONNRESET',
    null,
  ];
  for (const error of lasting) assert.equal(isTransient(error), false, String(error));
});

test('options out of range are refused when the policy is made', () => {
  for (const options of [{ maxAttempts: 0 }, { maxAttempts: 1.5 }, { maxAttempts: NaN }, { delayMs: -1 }]) {
    assert.throws(() => setUp(options), RangeError);
  }
  assert.throws(() => setUp({ delayMsMax: Infinity }), RangeError);
});
