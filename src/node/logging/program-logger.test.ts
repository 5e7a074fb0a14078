/** Goal: a program's logger cannot end a node's own work. Method: one that throws at every call, and one that lacks a method. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { programLogger } from './program-logger.ts';

test('what a logger throws is thrown away, and its lines are handed on', () => {
  const lines: unknown[] = [];
  const fail = (): never => assert.fail('the disk of the log is full');
  const failing: Logger = { ...silentLogger, info: (...line) => void lines.push(line), warn: fail, child: fail };
  const logger = programLogger(failing);
  logger.warn({}, 'thrown');
  logger.child({ part: 1 }).warn({}, 'thrown, too');
  logger.child({ part: 1 }).info({ a: 1 }, 'said');
  assert.deepEqual(lines, [[{ a: 1 }, 'said']]);
});

test('a logger without one of the methods is refused at once, by name', () => {
  const { trace: _trace, ...lacking } = silentLogger;
  assert.throws(() => programLogger(lacking as Logger), { name: 'TypeError', message: /no method trace/ });
});
