/** Goal: a program's logger cannot disturb a node's work. Method: a logger that throws at every call, and one that lacks a method. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { programLogger } from './program-logger.ts';

test('errors of a logger are ignored, and lines are passed on', () => {
  const lines: unknown[] = [];
  const fail = (): never => assert.fail('the disk of the log is full');
  const failing: Logger = { ...silentLogger, info: (...line) => void lines.push(line), warn: fail, child: fail };
  const logger = programLogger(failing);
  logger.warn({}, 'thrown');
  logger.child({ part: 1 }).warn({}, 'thrown, too');
  logger.child({ part: 1 }).info({ a: 1 }, 'said');
  assert.deepEqual(lines, [[{ a: 1 }, 'said']]);
});

test('a logger that lacks a method is refused immediately, naming the method', () => {
  const { trace: _trace, ...lacking } = silentLogger;
  assert.throws(() => programLogger(lacking as Logger), { name: 'TypeError', message: /no method trace/ });
});
