/**
 * Goal: members of the cluster read in a beacon what it was made from; nobody else can read or forge one.
 * Method: round trips and a golden vector; then every bit flipped, and random mutations of real beacons from a printed seed.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { createSeededRandom, type SeededRandom } from '../../testing/index.ts';
import { BEACON_BYTES_MAX, type Beacon, decodeBeacon, encodeBeacon, findBeaconKey } from './beacon.ts';
import { beaconTag, deriveBeaconKey } from './beacon-key.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7001);
const MUTATIONS = 100_000 * Number(process.env.ENTGLDB_TEST_SCALE ?? 1);
const KEY = deriveBeaconKey(Buffer.alloc(32, 1));
const OTHER = deriveBeaconKey(Buffer.alloc(32, 2));
const BEACON: Beacon = {
  deviceKey: 'device-a',
  startTag: beaconTag(KEY, 'life', 'life-1'),
  replicaTag: beaconTag(KEY, 'replica', 'replica-1'),
  tcpPort: 5000,
  relaysAll: true,
  wallMs: 1_767_225_600_000,
  sequence: 42,
};

function randomBeacon(random: SeededRandom): Beacon {
  const hex = (): string => Buffer.from(random.bytes(8)).toString('hex');
  const character = (): string => String.fromCharCode(random.integer(0x21, 0x7e));
  return {
    deviceKey: Array.from({ length: random.integer(1, 64) }, character).join(''),
    startTag: hex(),
    replicaTag: hex(),
    tcpPort: random.integer(1, 65_535),
    relaysAll: random.chance(0.5),
    wallMs: random.integer(0, 2 ** 48 - 1),
    sequence: random.integer(0, 2 ** 48 - 1),
  };
}

function hmac(body: Uint8Array): Buffer {
  return createHmac('sha256', KEY.mac).update(body).digest().subarray(0, 16);
}

/** Flips, overwrites, cuts, appends, copies in a piece of another beacon, or replaces everything. */
function mutate(random: SeededRandom, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = random.integer(0, copy.length - 1);
  switch (random.integer(0, 5)) {
    case 0:
      copy[at]! ^= 1 << random.integer(0, 7);
      return copy;
    case 1:
      copy.set(random.bytes(Math.min(random.integer(1, 16), copy.length - at)), at);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return Buffer.concat([copy, random.bytes(random.integer(1, 120))]);
    case 4:
      copy.set(other.subarray(at, copy.length).subarray(0, random.integer(1, 40)), at);
      return copy;
    default:
      return random.bytes(random.integer(0, 300));
  }
}

test('a beacon survives encoding and stays below 200 bytes', () => {
  const random = createSeededRandom(SEED);
  for (let i = 0; i < 2000; i++) {
    const beacon = randomBeacon(random);
    const bytes = encodeBeacon(beacon, KEY);
    assert.ok(bytes.length <= BEACON_BYTES_MAX);
    assert.deepEqual(decodeBeacon(bytes, KEY), beacon, `seed ${SEED}, beacon ${i}`);
  }
});

test('golden vector: the bytes of version 1 do not change', () => {
  const hex = Buffer.from(encodeBeacon(BEACON, KEY)).toString('hex');
  assert.equal(
    hex,
    '4542019757c98715f818520e63b559f5e50f6e0e3ea78956c516591388019b76daa80000000000002a086465766963652d61f6bdd0ea020cc934f101b896e7e1077f',
  );
});

test('only members with the same key read a beacon, and its key id tells others to ignore it', () => {
  const bytes = encodeBeacon(BEACON, KEY);
  assert.equal(findBeaconKey(bytes, [OTHER]), undefined);
  assert.equal(findBeaconKey(bytes, [OTHER, KEY]), KEY);
  assert.equal(decodeBeacon(bytes, OTHER), undefined);
  assert.equal(decodeBeacon(bytes, { ...OTHER, id: KEY.id }), undefined);
});

test('a beacon with any bit flipped is refused', () => {
  const bytes = encodeBeacon(BEACON, KEY);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = Uint8Array.from(bytes);
    copy[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(decodeBeacon(copy, KEY), undefined, `bit ${bit}`);
  }
});

test('no random mutation of a beacon is accepted, and none throws', () => {
  const random = createSeededRandom(SEED);
  const genuine = Array.from({ length: 64 }, () => encodeBeacon(randomBeacon(random), KEY));
  const isGenuine = (bytes: Uint8Array): boolean => genuine.some((one) => Buffer.compare(one, bytes) === 0);
  for (let i = 0; i < MUTATIONS; i++) {
    const mutated = mutate(random, random.pick(genuine), random.pick(genuine));
    if (decodeBeacon(mutated, KEY) !== undefined) assert.ok(isGenuine(mutated), `seed ${SEED}, mutation ${i}`);
  }
});

test('a signed datagram with impossible fields is refused: port 0, device key with a blank or longer than the datagram', () => {
  const signed = (change: (bytes: Buffer) => void): Beacon | undefined => {
    const bytes = Buffer.from(encodeBeacon(BEACON, KEY));
    change(bytes);
    const body = bytes.subarray(0, bytes.length - 16);
    return decodeBeacon(Buffer.concat([body, hmac(body)]), KEY);
  };
  assert.deepEqual(
    signed(() => {}),
    BEACON,
  );
  assert.equal(
    signed((b) => b.writeUInt16BE(0, 27)),
    undefined,
  );
  assert.equal(
    signed((b) => b.writeUInt8(9, 41)),
    undefined,
  );
  assert.equal(
    signed((b) => b.writeUInt8(0, 41)),
    undefined,
  );
  assert.equal(
    signed((b) => b.writeUInt8(0x20, 42)),
    undefined,
  );
});

test('fields that a later release appends are ignored', () => {
  const bytes = Buffer.from(encodeBeacon(BEACON, KEY));
  for (const flags of [0, 1, 0xfe, 0xff]) {
    const body = Buffer.concat([bytes.subarray(0, bytes.length - 16), Buffer.from([flags]), Buffer.from('later')]);
    const read = decodeBeacon(Buffer.concat([body, hmac(body)]), KEY);
    assert.deepEqual(read, { ...BEACON, relaysAll: flags % 2 === 0 }, `flags ${flags}`);
  }
});

test('golden vector: a node that keeps only some collections says so in one additional byte', () => {
  const all = Buffer.from(encodeBeacon(BEACON, KEY)).toString('hex').slice(0, -32);
  const some = Buffer.from(encodeBeacon({ ...BEACON, relaysAll: false }, KEY))
    .toString('hex')
    .slice(0, -32);
  assert.equal(some, `${all}01`);
});

test('a beacon reveals neither ids nor keys, and tags of one id differ between clusters', () => {
  assert.notEqual(beaconTag(KEY, 'replica', 'x'), beaconTag(OTHER, 'replica', 'x'));
  assert.notEqual(beaconTag(KEY, 'replica', 'x'), beaconTag(KEY, 'life', 'x'));
  const text = Buffer.from(encodeBeacon(BEACON, KEY)).toString('latin1');
  for (const secret of ['replica-1', 'life-1', Buffer.alloc(8, 1).toString('latin1')])
    assert.ok(!text.includes(secret));
});

test('a wall clock that is wrong by ages does not silence the node', () => {
  for (const wallMs of [-1e15, 0, 1e18]) assert.ok(decodeBeacon(encodeBeacon({ ...BEACON, wallMs }, KEY), KEY));
});

test('a field that does not fit throws a RangeError', () => {
  for (const change of [
    { deviceKey: '' },
    { deviceKey: 'é' },
    { deviceKey: 'x'.repeat(65) },
    { tcpPort: 65_536 },
    { sequence: -1 },
  ]) {
    assert.throws(() => encodeBeacon({ ...BEACON, ...change }, KEY), RangeError);
  }
});
