/**
 * Goal: the same token gives the same keys everywhere and for ever, and neither keys nor errors reveal it. Device keys
 * survive storage in their file, and a proof cannot be used by anybody else.
 * Method: recorded values, and each way in which a proof can be wrong.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEntglDbError } from '../../core/errors/index.ts';
import { createSeededRandom } from '../../testing/index.ts';
import { createDeviceKey, parseDeviceKey } from './device-key.ts';
import { makeProof, PROOF_BYTES, readProof } from './device-proof.ts';
import { deriveClusterKey, loopbackKey } from './keys.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const RECORDED = {
  id: '942e0fcf5c96ad4b',
  psk: 'd9ceaaeae63cd18ad7d3b44e9aba1ecd1c4d1955346c33176897bba3fb180585',
  beacon: 'b7a8034cf87276e9c02acf138f7f25344886e4a0b347c4229e05260d43162439',
  loopbackOnly: false,
};

test('the keys of a token are the recorded ones', async () => {
  const key = await deriveClusterKey('correct horse battery staple');
  assert.deepEqual({ ...key, psk: hex(key.psk), beacon: hex(key.beacon) }, RECORDED);
});

test('neither spaces around a token nor its Unicode composition matter', async () => {
  const composed = await deriveClusterKey('k\u00fcche und flur 12345');
  assert.deepEqual(await deriveClusterKey('  ku\u0308che und flur 12345\n'), composed);
});

test('another token gives other keys, and no key contains another', async () => {
  const one = await deriveClusterKey('a token of 20 chars.');
  const two = await deriveClusterKey('a token of 20 chars!');
  const all = [one, two, loopbackKey()].flatMap(({ id, psk, beacon }) => [
    id,
    hex(psk).slice(0, 16),
    hex(beacon).slice(0, 16),
  ]);
  assert.equal(new Set(all).size, all.length);
});

test('a weak token is refused, and the error does not repeat it', async () => {
  for (const weak of ['', '123456', 'fifteen chars..', `${' '.repeat(20)}short`, '\u{1f600}'.repeat(15)]) {
    await assert.rejects(deriveClusterKey(weak), (error) => {
      assert.ok(isEntglDbError(error, 'TOKEN_WEAK'));
      return weak === '' || !`${error.message}${JSON.stringify(error.details)}`.includes(weak.trim());
    });
  }
});

test('only the key of nodes without a token is bound to loopback', async () => {
  assert.equal(loopbackKey().loopbackOnly, true);
  assert.equal((await deriveClusterKey('a token of 20 chars.')).loopbackOnly, false);
});

test('a device key survives storage in its file', () => {
  const key = createDeviceKey(createSeededRandom(1));
  const read = parseDeviceKey(key.serialize())!;
  assert.equal(read.publicKey, key.publicKey);
  assert.equal(key.publicKey.length, 43);
  assert.deepEqual(read.sign(Buffer.from('x')), key.sign(Buffer.from('x')));
  assert.equal(createDeviceKey(createSeededRandom(1)).publicKey, key.publicKey);
});

test('a text that holds no Ed25519 key is none', () => {
  const rsa = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAA=\n-----END PRIVATE KEY-----\n';
  for (const text of ['', 'key', rsa]) {
    assert.equal(parseDeviceKey(text), undefined);
  }
});

test('a proof proves one key, in one role, over one connection', () => {
  const key = createDeviceKey(createSeededRandom(2));
  const here = Buffer.alloc(32, 1);
  const proof = makeProof(key, 'dialler', here);
  assert.equal(proof.length, PROOF_BYTES);
  assert.equal(readProof(proof, 'dialler', here), key.publicKey);
  assert.equal(readProof(proof, 'acceptor', here), undefined, 'reflected');
  assert.equal(readProof(proof, 'dialler', Buffer.alloc(32, 2)), undefined, 'from another connection');
  const other = createDeviceKey(createSeededRandom(3));
  const borrowed = Buffer.from(proof);
  borrowed.set(Buffer.from(other.publicKey, 'base64url'), 1);
  assert.equal(readProof(borrowed, 'dialler', here), undefined, 'in the name of another device');
});

test('a proof with any bit changed is invalid', () => {
  const here = Buffer.alloc(32, 1);
  const proof = makeProof(createDeviceKey(createSeededRandom(2)), 'acceptor', here);
  for (let bit = 0; bit < proof.length * 8; bit++) {
    const changed = Buffer.from(proof);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(readProof(changed, 'acceptor', here), undefined, `bit ${bit}`);
  }
  assert.equal(readProof(proof.subarray(1), 'acceptor', here), undefined);
});
