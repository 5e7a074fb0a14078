/**
 * Goal: the two ends of two connections always agree which one stays, without exchanging a message about it.
 * Method: every pair of connections between two devices, in both orders of arrival at each end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel } from '../transport.ts';
import { decideDuplicate } from './duplicate.ts';

/** One end of a connection between `own` and `peer`, with only the fields that the decision may look at. */
function end(own: string, peer: string, dialler: string): Channel {
  return { ownKey: own, peerKey: peer, dialled: dialler === own } as Channel;
}

/** Who dialled the connection that stays at this end if the two arrive in this order. */
function stays(own: string, peer: string, first: string, second: string): string {
  return decideDuplicate(end(own, peer, first), end(own, peer, second), 'new') === 'replace' ? second : first;
}

test('of two connections dialled from different ends, both ends keep the one dialled by the smaller key, in any order', () => {
  for (const [a, b] of [
    ['a', 'b'],
    ['Z', 'a'],
    ['key-1', 'key-2'],
  ] as const) {
    for (const [own, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      assert.equal(stays(own, peer, a, b), a);
      assert.equal(stays(own, peer, b, a), a);
    }
  }
});

test('of two connections dialled from the same end, the dialler keeps the old one and the other end waits for its choice', () => {
  assert.equal(decideDuplicate(end('a', 'b', 'a'), end('a', 'b', 'a'), 'new'), 'keep');
  assert.equal(decideDuplicate(end('b', 'a', 'a'), end('b', 'a', 'a'), 'new'), 'hold');
});

test('a peer that dials despite a settled link gets time to show that its end of that link is dead', () => {
  assert.equal(decideDuplicate(end('a', 'b', 'a'), end('a', 'b', 'b'), 'settled'), 'hold');
  assert.equal(decideDuplicate(end('b', 'a', 'a'), end('b', 'a', 'b'), 'settled'), 'keep', 'which it closes if not');
});

test('any new connection replaces a link that may be dead', () => {
  for (const old of ['a', 'b']) {
    for (const newcomer of ['a', 'b']) {
      assert.equal(decideDuplicate(end('a', 'b', old), end('a', 'b', newcomer), 'suspect'), 'replace');
    }
  }
});
