import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Random } from '../../core/ids/index.ts';

/**
 * Ed25519 key pair of one device, kept beside the database in a file that only its owner can read. The cluster token proves
 * that a peer is a member; the device key proves which one.
 */
export interface DeviceKey {
  /** 32 bytes as 43 characters of base64url, by which peers know the device. */
  readonly publicKey: string;
  sign(bytes: Uint8Array): Uint8Array;
  /** The content of the file: PKCS #8 in PEM. */
  serialize(): string;
}

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const SEED_BYTES = 32;
// RFC 8410: the fixed prefix of an Ed25519 key in PKCS #8 and in SubjectPublicKeyInfo; the 32 bytes of the key follow it.
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export function createDeviceKey(random: Random): DeviceKey {
  const seed = random.bytes(SEED_BYTES);
  return deviceKeyOf(createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' }));
}

/** The key in `text`, the content of its file; undefined: the text holds none. */
export function parseDeviceKey(text: string): DeviceKey | undefined {
  const key = readPrivateKey(text);
  return key?.asymmetricKeyType === 'ed25519' ? deviceKeyOf(key) : undefined;
}

/** Whether the holder of this public key signed the bytes. */
export function isSignedBy(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  return verify(null, bytes, key, signature);
}

function readPrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    // The error of OpenSSL quotes the file.
    return undefined;
  }
}

function deviceKeyOf(key: KeyObject): DeviceKey {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: spki.subarray(SPKI_PREFIX.length).toString('base64url'),
    sign: (bytes) => sign(null, bytes, key),
    serialize: () => key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}
