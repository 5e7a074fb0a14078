import { constants } from 'node:crypto';
import {
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import type { ClusterKey } from './keys.ts';

/**
 * TLS 1.3 with the cluster key as external pre-shared key (RFC 8446 §4.2.11, RFC 9257), always together with X25519 or
 * P-256, so that a token that leaks later does not decrypt recorded traffic. No certificates. In Node this also needs:
 *
 * - only cipher suites with SHA-256: the one with SHA-384 never works with the PSK callbacks;
 * - no session tickets: they would admit clients whose token has been removed since;
 * - the check of ALPN in `isSecure`: a server also accepts clients that offer none.
 */
const ALPN = 'entgldb/1';

const COMMON = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  ecdhCurve: 'X25519:P-256',
} as const;

/** Keeps Node from loading its 150 root certificates at the first connection: no certificate is used here. */
const NO_ROOTS: string[] = [];

let dialling: SecureContext | undefined;

/** One for all dials, as for a listener: Node would make one for each, which takes as long as a third of a handshake. */
function diallingContext(): SecureContext {
  dialling ??= createSecureContext({ ...COMMON, ca: NO_ROOTS });
  return dialling;
}

/** `keyOf` finds the key that a client names; undefined refuses it. */
export function serverOptions(keyOf: (socket: TLSSocket, id: string) => ClusterKey | undefined): TlsOptions {
  return {
    ...COMMON,
    ALPNProtocols: [ALPN],
    ca: NO_ROOTS,
    secureOptions: constants.SSL_OP_NO_TICKET,
    pskCallback: (socket, id) => pskOf(typeof id === 'string' ? keyOf(socket, id) : undefined),
  };
}

export function clientOptions(key: ClusterKey): ConnectionOptions {
  return {
    secureContext: diallingContext(),
    ALPNProtocols: [ALPN],
    // There is no certificate whose name could be checked: the key proves the server.
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk: key.psk, identity: key.id }),
  };
}

/** Whether the handshake ended as required: this protocol, TLS 1.3, and, checked on the client's side, a fresh key exchange. */
export function isSecure(socket: TLSSocket, dialled: boolean): boolean {
  if (socket.alpnProtocol !== ALPN || socket.getProtocol() !== 'TLSv1.3') return false;
  if (!dialled) return true;
  const exchange = socket.getEphemeralKeyInfo();
  return exchange !== null && 'type' in exchange;
}

function pskOf(key: ClusterKey | undefined): Buffer | null {
  return key === undefined ? null : Buffer.from(key.psk);
}
