/** Goal: what was odd about the files at the start is told once each, with what to do. Method: each finding by itself and together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileNotices } from './file-notices.ts';

const OLD = { fresh: false, reason: 'same', reservedSeq: 0 } as const;

test('nothing odd, nothing told', () => {
  assert.deepEqual(fileNotices('a.db', OLD), []);
});

test('a file that is gone, a log that is short and a log of another file are told with what to do', () => {
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
