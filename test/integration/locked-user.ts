/**
 * A program without a network, for tests. `locked-user.ts FOLDER` prints `ready`, writes one document when its standard
 * input ends, and then prints `written`.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { openDatabase } from '../../src/index.ts';

const folder = process.argv[2]!;
const databasePath = join(folder, 'entgldb.db');
// A machine that stands still while the lock is held must not make the write fail.
const persistence = { databasePath, busyTimeoutMs: 60_000 };
const db = await openDatabase({ dataDirectory: folder, network: false, persistence });
const ended = once(process.stdin.resume(), 'end');
process.stdout.write('ready\n');
await ended;
process.stdin.destroy();
await db.collection('c').put('k', { n: 1 });
process.stdout.write('written\n');
await db.close();
