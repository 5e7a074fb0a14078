/** Goal: each oddity of the files found at the start is reported once, with what to do. Method: findings one by one and together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileNotices } from './file-notices.ts';

const OLD = { fresh: false, reason: 'same', reservedSeq: 0, reservedPos: 0 } as const;

test('ordinary files cause no notice', () => {
  assert.deepEqual(fileNotices('a.db', OLD), []);
});

test('a missing file, a truncated log and a log of another file are reported with what to do', () => {
  const [gone, ...others] = fileNotices('a.db', {
    ...OLD,
    isGone: true,
    isCutBack: true,
    logsAside: ['a.db-wal.aside-1'],
  });
  assert.match(gone!, /a\.db was gone.*put it back.*entgldb restore/);
  assert.deepEqual(others, [], 'the rest follows from that');
  assert.match(fileNotices('a.db', { ...OLD, isCutBack: true }).join(), /newest writes in a\.db are gone/);
  const [cut, aside] = fileNotices('a.db', { ...OLD, isCutBack: true, logsAside: ['a.db-wal.aside-1'] });
  assert.deepEqual(fileNotices('a.db', { ...OLD, reason: 'sealed', logsAside: ['a.db-wal.aside-1'] }), []);
  assert.match(cut!, /newest writes/);
  assert.match(aside!, /kept as a\.db-wal\.aside-1.*put each database file back/);
});
