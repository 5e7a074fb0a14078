import { createHmac, timingSafeEqual } from 'node:crypto';
import { type BeaconKey, KEY_ID_BYTES, TAG_BYTES } from './beacon-key.ts';

/**
 * What a node announces on its network every few seconds, in one signed datagram:
 *
 *     magic "EB" 2 | version 1 | key id 8 | start tag 8 | replica tag 8 | TCP port 2 | wall clock, ms 6 | sequence 6
 *     | length 1, device key 1…64 | flags 0…1 | fields of later releases | HMAC-SHA256 of all before, first 16 bytes
 *
 * Numbers are big-endian. Bit 0 of the flags means that the sender keeps only some of the collections. Absent flags count as
 * 0, and unknown bits are ignored. A beacon contains no token, node name, collection or address: the address is the one that
 * the datagram came from. Freshness depends on the sequence within one start (`replay-window.ts`), not on clocks, which may be
 * wrong by years.
 */
export interface Beacon {
  /** Key of the device, as `Channel.peerKey` gives it: 1 to 64 printable ASCII characters. */
  readonly deviceKey: string;
  /** Tag (`beaconTag`) of the random text that the node draws at each start. */
  readonly startTag: string;
  /** Tag of the replica id (`beaconTag`). */
  readonly replicaTag: string;
  readonly tcpPort: number;
  /** The sender keeps every collection, so it passes on what others wrote in any of them. */
  readonly relaysAll: boolean;
  /** The sender's wall clock, ms. For diagnosis, and for telling a clone of this device from a replayed beacon of it. */
  readonly wallMs: number;
  /** Increases with each datagram of a start. */
  readonly sequence: number;
}

/** Larger datagrams are ignored; the beacons of this release have at most 123 bytes. */
export const BEACON_BYTES_MAX = 200;

const MAGIC = 0x4542;
const VERSION = 1;
const KEY_ID_AT = 3;
const START_TAG_AT = KEY_ID_AT + KEY_ID_BYTES;
const REPLICA_TAG_AT = START_TAG_AT + TAG_BYTES;
const PORT_AT = REPLICA_TAG_AT + TAG_BYTES;
const WALL_AT = PORT_AT + 2;
const SEQUENCE_AT = WALL_AT + 6;
const LENGTH_AT = SEQUENCE_AT + 6;
const DEVICE_AT = LENGTH_AT + 1;
const MAC_BYTES = 16;
const KEEPS_SOME = 1;
const DEVICE_KEY = /^[\x21-\x7e]{1,64}$/;
const UINT48_MAX = 2 ** 48 - 1;

/** Throws a RangeError when a field does not fit, which is a programming error. */
export function encodeBeacon(beacon: Beacon, key: BeaconKey): Uint8Array {
  if (!DEVICE_KEY.test(beacon.deviceKey)) throw new RangeError('a device key has 1 to 64 printable ASCII characters');
  const deviceEnd = DEVICE_AT + beacon.deviceKey.length;
  // Without flags the bytes are those of the first version of the beacon.
  const macAt = beacon.relaysAll ? deviceEnd : deviceEnd + 1;
  const bytes = Buffer.alloc(macAt + MAC_BYTES);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes.writeUInt8(VERSION, 2);
  bytes.write(key.id, KEY_ID_AT, 'hex');
  bytes.write(beacon.startTag, START_TAG_AT, 'hex');
  bytes.write(beacon.replicaTag, REPLICA_TAG_AT, 'hex');
  bytes.writeUInt16BE(beacon.tcpPort, PORT_AT);
  // A wall clock before 1970 or beyond the year 10000 is wrong, but must not silence the node.
  bytes.writeUIntBE(Math.min(Math.max(0, Math.floor(beacon.wallMs)), UINT48_MAX), WALL_AT, 6);
  bytes.writeUIntBE(beacon.sequence, SEQUENCE_AT, 6);
  bytes.writeUInt8(beacon.deviceKey.length, LENGTH_AT);
  bytes.write(beacon.deviceKey, DEVICE_AT, 'latin1');
  if (!beacon.relaysAll) bytes.writeUInt8(KEEPS_SOME, deviceEnd);
  macOf(bytes.subarray(0, macAt), key).copy(bytes, macAt);
  return bytes;
}

/** The key that a datagram claims to be made with; undefined if it is no beacon, or one of another cluster. Very cheap. */
export function findBeaconKey(bytes: Uint8Array, keys: readonly BeaconKey[]): BeaconKey | undefined {
  if (!looksLikeBeacon(bytes)) return undefined;
  const view = asBuffer(bytes);
  const id = view.toString('hex', KEY_ID_AT, START_TAG_AT);
  return keys.find((key) => key.id === id);
}

/** The TCP port that a beacon under another key names, unverified; undefined if the datagram is no beacon. */
export function foreignPort(bytes: Uint8Array): number | undefined {
  return (looksLikeBeacon(bytes) && asBuffer(bytes).readUInt16BE(PORT_AT)) || undefined;
}

function looksLikeBeacon(bytes: Uint8Array): boolean {
  if (bytes.length <= DEVICE_AT + MAC_BYTES || bytes.length > BEACON_BYTES_MAX) return false;
  return asBuffer(bytes).readUInt16BE(0) === MAGIC && bytes[2] === VERSION;
}

/** The beacon in a datagram for which `findBeaconKey` found the key; undefined if it is forged or damaged. Costs one HMAC. */
export function decodeBeacon(bytes: Uint8Array, key: BeaconKey): Beacon | undefined {
  if (findBeaconKey(bytes, [key]) === undefined) return undefined;
  const view = asBuffer(bytes);
  const macAt = view.length - MAC_BYTES;
  if (!timingSafeEqual(macOf(view.subarray(0, macAt), key), view.subarray(macAt))) return undefined;
  const deviceEnd = DEVICE_AT + view[LENGTH_AT]!;
  const deviceKey = view.toString('latin1', DEVICE_AT, Math.min(deviceEnd, macAt));
  const tcpPort = view.readUInt16BE(PORT_AT);
  if (deviceEnd > macAt || !DEVICE_KEY.test(deviceKey) || tcpPort === 0) return undefined;
  return {
    deviceKey,
    startTag: view.toString('hex', START_TAG_AT, REPLICA_TAG_AT),
    replicaTag: view.toString('hex', REPLICA_TAG_AT, PORT_AT),
    tcpPort,
    relaysAll: deviceEnd === macAt || (view[deviceEnd]! & KEEPS_SOME) === 0,
    wallMs: view.readUIntBE(WALL_AT, 6),
    sequence: view.readUIntBE(SEQUENCE_AT, 6),
  };
}

function macOf(bytes: Uint8Array, key: BeaconKey): Buffer {
  return createHmac('sha256', key.mac).update(bytes).digest().subarray(0, MAC_BYTES);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
