/**
 * Goal: connections, log lines and memory that strangers can cause are bounded, whatever addresses they come from.
 * Method: floods from one address, from many, and from more than the tables hold, on a manual clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../core/config/index.ts';
import { silentLogger } from '../../core/logging/index.ts';
import { createManualClock } from '../../testing/index.ts';
import { isLoopback, plainHost } from './addresses.ts';
import { Admission } from './admission.ts';
import { RefusalLog } from './refusal-log.ts';

const nothing = (): void => {};

test('each address has its own number of connections per second, and all of them again in the next second', () => {
  const clock = createManualClock();
  const admission = new Admission(clock, LIMITS);
  const enterOnce = (host: string): boolean => {
    const connection = { host, evict: nothing };
    const isIn = admission.enter(connection);
    admission.leave(connection);
    return isIn;
  };
  const admitted = (host: string) => Array.from({ length: 100 }, () => enterOnce(host)).filter(Boolean).length;
  assert.equal(admitted('192.0.2.1'), LIMITS.acceptsPerSecondMax);
  assert.equal(admitted('192.0.2.2'), LIMITS.acceptsPerSecondMax);
  clock.advance(999);
  assert.equal(admitted('192.0.2.1'), 0);
  clock.advance(1);
  assert.equal(admitted('192.0.2.1'), LIMITS.acceptsPerSecondMax);
  assert.equal(admitted('127.0.0.1'), 100);
});

test('one address may hold only a part of the pending places, and when all are taken the oldest makes room', () => {
  const admission = new Admission(createManualClock(), LIMITS);
  const evicted: number[] = [];
  let made = 0;
  const enter = (host: string): boolean => {
    const number = made++;
    return admission.enter({ host, evict: () => evicted.push(number) });
  };
  const fromOne = Array.from({ length: 20 }, () => enter('192.0.2.1')).filter(Boolean);
  assert.equal(fromOne.length, LIMITS.handshakesPerAddressMax);
  for (let i = 0; i < 200; i++) assert.ok(enter(`198.51.100.${i}`));
  const entered = fromOne.length + 200;
  assert.equal(entered - evicted.length, LIMITS.handshakesPendingMax);
  assert.deepEqual(evicted.slice(0, 3), [0, 1, 2]);
  admission.evictAll();
  assert.equal(evicted.length, entered);
});

test('addresses beyond those that are counted share one count', () => {
  const admission = new Admission(createManualClock(), { ...LIMITS, acceptAddressesMax: 10 });
  let admitted = 0;
  for (let i = 0; i < 1000; i++)
    if (admission.enter({ host: `2001:db8::${i.toString(16)}`, evict: nothing })) admitted++;
  assert.equal(admitted, 10 + LIMITS.acceptsPerSecondMax);
});

test('a refused address is logged once in ten minutes, and a flood of addresses gets a bounded number of lines per minute', () => {
  const clock = createManualClock();
  const lines: Record<string, unknown>[] = [];
  const logger = { ...silentLogger, warn: (fields: object) => void lines.push(fields as Record<string, unknown>) };
  const log = new RefusalLog(clock, logger, LIMITS);
  for (let i = 0; i < 1000; i++) log.report('192.0.2.1', 'no token');
  assert.equal(lines.length, 1);
  clock.advance(600_000);
  log.report('192.0.2.1', 'no token');
  assert.deepEqual(lines[1], { host: '192.0.2.1', why: 'no token', unsaidBefore: 999 });
  clock.advance(60_000);
  for (let i = 0; i < 5000; i++) log.report(`2001:db8::${i.toString(16)}`, 'no token');
  assert.equal(lines.length, 2 + LIMITS.refusalLinesPerMinuteMax);
});

test('loopback addresses are recognised in all their forms', () => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(host), host);
  for (const host of ['', '0.0.0.0', '::', '128.0.0.1', '192.0.2.1', '::2', 'localhost.example', '::ffff:192.0.2.1']) {
    assert.ok(!isLoopback(host), host);
  }
  assert.equal(plainHost('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(plainHost('2001:db8::1'), '2001:db8::1');
});
