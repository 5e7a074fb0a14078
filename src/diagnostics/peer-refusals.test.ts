/** Goal: each refused peer is listed once while it is refused, in bounded number. Method: meetings on a manual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIMES } from '../core/config/index.ts';
import { createManualClock } from '../testing/index.ts';
import { createRefusalsCheck, PeerRefusals, type RefusalCause, refusalTexts } from './index.ts';

function setUp(refusalAddressesMax = 256) {
  const clock = createManualClock();
  const refusals = new PeerRefusals(clock, { refusalAddressesMax });
  const tokenOf = (host: string, port: number | null = null, isOnlyHeard = false) =>
    refusals.refused({ host, port, cause: 'other-token', isOnlyHeard });
  return { clock, refusals, tokenOf, texts: () => refusalTexts(refusals.list(), clock.now()) };
}

test('each try counts, and the sentence says since when, how often, how recently and what to do', () => {
  const { clock, tokenOf, texts } = setUp();
  for (let i = 0; i < 14; i++) {
    tokenOf('192.168.1.20');
    clock.advance(30_000);
  }
  assert.deepEqual(texts(), [
    'no sync with 192.168.1.20 (tried 14 times in 7 minutes, last 30 seconds ago): it has another cluster token; compare the fingerprint of the token that `entgldb doctor` prints on each',
  ]);
});

test('a node that dials, is dialled and is heard is one entry, the one that says most about it', () => {
  const { tokenOf, refusals } = setUp();
  const seen = () => refusals.list().map(({ host, port, isOnlyHeard }) => [host, port, isOnlyHeard]);
  tokenOf('fe80::1%eth0', 5000, true);
  assert.deepEqual(seen(), [['fe80::1%eth0', 5000, true]]);
  tokenOf('fe80::1%eth0');
  assert.deepEqual(seen(), [['fe80::1%eth0', null, false]]);
  tokenOf('fe80::1%eth0', 5000);
  assert.deepEqual(seen(), [['fe80::1%eth0', 5000, false]]);
  tokenOf('fe80::1%eth0', 5001, true);
  assert.equal(seen().length, 1, 'it dialled, so one of the two is known to be it');
  assert.match(refusalTexts(refusals.list(), 0)[0]!, /\[fe80::1%eth0\]:5000 /);
});

test('a connection removes the entries that it disproves, and no others', () => {
  const { tokenOf, refusals } = setUp();
  tokenOf('10.0.0.1', 5000);
  tokenOf('10.0.0.1', 5001);
  tokenOf('10.0.0.2');
  refusals.refused({ host: '10.0.0.1', port: 5000, cause: 'other-protocol' });
  const seen = () => refusals.list().map(({ host, port, cause }) => `${host} ${port} ${cause}`);
  refusals.connected({ host: '10.0.0.1', port: 5000, hasGreeted: false });
  assert.deepEqual(seen(), ['10.0.0.1 5001 other-token', '10.0.0.2 null other-token', '10.0.0.1 5000 other-protocol']);
  refusals.connected({ host: '10.0.0.1', port: 5000, hasGreeted: true });
  refusals.connected({ host: '10.0.0.2', port: 5000, hasGreeted: false });
  assert.deepEqual(seen(), ['10.0.0.1 5001 other-token']);
});

test('a node that is not met any more is forgotten, and beyond the limit the one not met for longest', () => {
  const { clock, tokenOf, refusals, texts } = setUp(3);
  for (const host of ['a', 'b', 'c']) tokenOf(host);
  tokenOf('a');
  tokenOf('d');
  assert.deepEqual(
    refusals.list().map(({ host }) => host),
    ['c', 'a', 'd'],
  );
  clock.advance(TIMES.refusalForgetMs - 1);
  tokenOf('a');
  assert.equal(refusals.list().length, 3);
  clock.advance(1);
  assert.equal(texts().length, 1);
  tokenOf('e', 5000, true);
  assert.equal(texts().length, 2);
  clock.advance(TIMES.beaconExpiryMs);
  assert.equal(texts().length, 1, 'a beacon that is heard no more');
  const crowd = setUp();
  for (let i = 0; i < 100; i++) crowd.tokenOf(`10.0.1.${i}`);
  assert.equal(crowd.texts().length, 1);
  assert.match(
    crowd.texts()[0]!,
    /^no sync with 10\.0\.1\.0, .*, 10\.0\.1\.4 and 95 more addresses \(see entgldb status --json\)/,
  );
});

test('addresses with the same cause share a sentence, those of one link last', () => {
  const { clock, tokenOf, refusals, texts } = setUp();
  tokenOf('fe80::1%eth0', 5000);
  tokenOf('10.0.0.1', 5000);
  clock.advance(10_000);
  tokenOf('10.0.0.1', 5000);
  refusals.refused({ host: '10.0.0.3', port: 80, cause: 'no-entgldb' });
  assert.deepEqual(texts(), [
    'no sync with 10.0.0.1:5000, [fe80::1%eth0]:5000 (a machine can have several addresses; tried 3 times in 10 seconds, last 0 seconds ago): they have another cluster token; compare the fingerprint of the token that `entgldb doctor` prints on each',
    'no sync with 10.0.0.3:80 (tried once, 0 seconds ago): what answers there is no EntglDb node; correct the port in Network.KnownPeers',
  ]);
});

test('refusals: degraded while somebody tries, but not for nodes that are only heard', async () => {
  const { clock, tokenOf, refusals } = setUp();
  const check = createRefusalsCheck(() => refusals.list(), clock);
  const look = async () => check.run(new AbortController().signal);
  assert.deepEqual(await look(), { state: 'healthy', message: 'nobody is kept out' });
  tokenOf('10.0.0.1', 5000, true);
  const { state, message } = await look();
  assert.equal(state, 'healthy');
  assert.match(message, /^10\.0\.0\.1:5000 is heard with another cluster token \(for 0 seconds\); if it belongs/);
  for (const [cause, says] of [
    ['no-entgldb', /correct the port in Network\.KnownPeers$/],
    ['other-protocol', /update the older of the two$/],
  ] as [RefusalCause, RegExp][]) {
    refusals.refused({ host: '10.0.0.3', port: 80, cause });
    assert.equal((await look()).state, 'degraded');
    assert.match((await look()).message, says);
    refusals.connected({ host: '10.0.0.3', port: 80, hasGreeted: true });
  }
});
