import { hkdfSync, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { TOKEN_CHARS_MIN } from '../../core/config/index.ts';
import { ConfigurationError } from '../../core/errors/index.ts';

/** What a node derives from one cluster token. Anyone who holds the token can derive it; nobody can reverse it. */
export interface ClusterKey {
  /** 16 hex digits that name the key in clear text on the wire and reveal nothing about it. */
  readonly id: string;
  /** Pre-shared key of TLS 1.3, 32 bytes. */
  readonly psk: Uint8Array;
  /** Root of the keys that sign beacons, 32 bytes. */
  readonly beacon: Uint8Array;
  /** True for the well-known key of nodes without a token, which may be used over loopback only. */
  readonly loopbackOnly: boolean;
}

/** What people compare to see whether two nodes hold the same token: the beginning of the id, which is public anyway. */
export function fingerprintOf({ id }: ClusterKey): string {
  return `${id.slice(0, 4)}-${id.slice(4, 8)}`;
}

const KEY_BYTES = 32;
const ID_BYTES = 8;
const SALT = 'entgldb cluster token 1';
// scrypt (RFC 7914) with N = 2^15, r = 8, p = 1 takes 32 MiB and about 70 ms: once per start, and for each guess of an attacker.
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const stretch = promisify<string, string, number, typeof SCRYPT, Buffer>(scrypt);

/**
 * Derives the keys of a token: scrypt, then HKDF-SHA256 (RFC 5869) for each purpose. The token is normalised (NFC) and
 * trimmed first. Rejects with CONFIG_ERROR / TOKEN_WEAK if it has fewer than `TOKEN_CHARS_MIN` characters; no message ever
 * contains a token.
 */
export async function deriveClusterKey(token: string): Promise<ClusterKey> {
  const typed = token.normalize('NFC').trim();
  const characters = [...typed].length;
  if (characters < TOKEN_CHARS_MIN) {
    throw new ConfigurationError(
      'TOKEN_WEAK',
      `the cluster token has ${characters} characters; use at least ${TOKEN_CHARS_MIN}, or let \`entgldb init\` make one`,
      { details: { characters, charactersMin: TOKEN_CHARS_MIN } },
    );
  }
  return keyFrom(await stretch(typed, SALT, KEY_BYTES, SCRYPT), false);
}

/** The key of nodes without a token. It is public, so the transport refuses every address that is not loopback. */
export function loopbackKey(): ClusterKey {
  return keyFrom(Buffer.from('entgldb nodes without a token'), true);
}

function keyFrom(master: Uint8Array, loopbackOnly: boolean): ClusterKey {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', master, SALT, purpose, bytes));
  return {
    id: derive('key id', ID_BYTES).toString('hex'),
    psk: derive('tls 1.3 psk sha256', KEY_BYTES),
    beacon: derive('beacon', KEY_BYTES),
    loopbackOnly,
  };
}
