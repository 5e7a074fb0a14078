import { type DeviceKey, isSignedBy, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './device-key.ts';

/**
 * The first frame of either direction: format (1), device public key (32), Ed25519 signature (64) over
 *
 *   "entgldb device proof 1" | role of the signer | keying material that TLS exports for this very connection
 *
 * TLS with the cluster key proves that the other end is a member. A member in the middle between two others holds two
 * connections with two different exports, and can sign neither in another's name (RFC 5705, RFC 9266). The role prevents a
 * proof from being reflected (the attack on group keys by Drucker and Gueron, "Selfie", 2019).
 */
export type Role = 'dialler' | 'acceptor';

export const EXPORTER_LABEL = 'EXPORTER-entgldb-1';
export const EXPORTER_BYTES = 32;
export const PROOF_BYTES = 1 + PUBLIC_KEY_BYTES + SIGNATURE_BYTES;
const FORMAT = 1;

export function makeProof(key: DeviceKey, role: Role, exported: Uint8Array): Uint8Array {
  const publicKey = Buffer.from(key.publicKey, 'base64url');
  return Buffer.concat([Uint8Array.of(FORMAT), publicKey, key.sign(signedText(role, exported))]);
}

/** The device key that the proof proves for the signer in this role; undefined if it proves none. */
export function readProof(proof: Uint8Array, role: Role, exported: Uint8Array): string | undefined {
  if (proof.length !== PROOF_BYTES || proof[0] !== FORMAT) return undefined;
  const publicKey = proof.subarray(1, 1 + PUBLIC_KEY_BYTES);
  if (!isSignedBy(publicKey, signedText(role, exported), proof.subarray(1 + PUBLIC_KEY_BYTES))) return undefined;
  return Buffer.from(publicKey).toString('base64url');
}

function signedText(role: Role, exported: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`entgldb device proof 1|${role}|`), exported]);
}
