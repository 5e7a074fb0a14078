import { isIP, type LookupFunction } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { NetworkError, TimeoutError } from '../../core/errors/index.ts';
import { addressText } from '../address-text.ts';
import type { Address, DialOptions } from '../transport.ts';
import type { ClusterKey } from './keys.ts';
import { clientOptions, isSecure } from './tls-options.ts';

/** Why the other end refused a handshake; in `details.refusal` of HANDSHAKE_FAILED if the other end told. */
export type DialRefusal = 'other-token' | 'no-entgldb';

export interface DialWork extends Pick<DialOptions, 'onAnswer'> {
  readonly clock: Clock;
  /** Time for connecting and the handshake together, ms. */
  readonly msMax: number;
  readonly signal?: AbortSignal | undefined;
  /** Looks names up. Default: that of the system. */
  readonly lookup?: LookupFunction;
}

/**
 * Resolves with a socket to the address whose TLS handshake is done. Rejects with CONNECT_FAILED, HANDSHAKE_FAILED,
 * TIMED_OUT after `msMax`, or `signal.reason`; the socket is then destroyed.
 */
export function dialTls(
  address: Address,
  key: ClusterKey,
  { clock, msMax, signal, onAnswer, lookup }: DialWork,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...clientOptions(key), ...address, ...(lookup && { lookup }) });
    let isResolved = isIP(address.host) !== 0;
    let isConnected = false;
    const settle = (): void => {
      cancelDeadline();
      signal?.removeEventListener('abort', aborted);
      socket.off('close', closed);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(handshakeError(address));
    const aborted = (): void => fail(signal?.reason);
    const cancelDeadline = clock.setTimer(msMax, () => {
      fail(isResolved ? timeoutError(address, msMax, isConnected) : unresolvedError(address, msMax));
    });
    socket.once('lookup', () => {
      isResolved = true;
    });
    socket.on('error', (error) => fail(isConnected ? handshakeError(address, error) : connectError(address, error)));
    socket.once('connect', () => {
      isConnected = true;
      onAnswer?.();
      socket.setNoDelay(true).setKeepAlive(true, TIMES.tcpKeepAliveMs);
    });
    socket.once('close', closed);
    socket.once('secureConnect', () => {
      if (!isSecure(socket, true)) return fail(handshakeError(address));
      settle();
      resolve(socket);
    });
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

function timeoutError(address: Address, msMax: number, isConnected: boolean): TimeoutError {
  const what = isConnected ? 'takes connections, but is too busy or stopped: it did not answer' : 'did not answer';
  return new TimeoutError(`${addressText(address)} ${what} within ${msMax} ms`, {
    details: { ...address, isConnected },
  });
}

function unresolvedError(address: Address, msMax: number): TimeoutError {
  return new TimeoutError(
    `the name ${address.host} was not resolved within ${msMax} ms; is the name server there? Or use the IP address`,
    { details: { ...address, isConnected: false } },
  );
}

/** The system's words for failures that users meet every day. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'that name means nothing here',
  ECONNREFUSED: 'nothing listens on that port',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to that machine',
  ENOTFOUND: 'that name means nothing here',
};

function connectError(address: Address, cause: NodeJS.ErrnoException): NetworkError {
  const { code, message } = cause;
  const words = PLAIN_WORDS[code ?? ''];
  const why = words === undefined ? `(${code ?? message})` : `(${words}: ${code})`;
  return new NetworkError('CONNECT_FAILED', `cannot connect to ${addressText(address)} ${why}`, {
    details: { ...address, code },
    cause,
  });
}

function handshakeError(address: Address, cause?: NodeJS.ErrnoException): NetworkError {
  const refusal = causeOfRefusal(cause?.code);
  return new NetworkError('HANDSHAKE_FAILED', `${addressText(address)} ${refusalText(refusal)}`, {
    details: { ...address, code: cause?.code, refusal },
    cause,
  });
}

/** The codes are those of OpenSSL, whose versions differ in the prefix. Undefined: the other end gave no reason. */
function causeOfRefusal(code: string | undefined): DialRefusal | undefined {
  if (code === undefined || !SAID_BY_TLS.test(code)) return undefined;
  return REFUSED_KEY.test(code) ? 'other-token' : 'no-entgldb';
}

const SAID_BY_TLS = /SSL|CERT/;
const REFUSED_KEY = /ALERT_(?:HANDSHAKE_FAILURE|DECRYPT_ERROR)$/;

function refusalText(refusal: DialRefusal | undefined): string {
  switch (refusal) {
    case 'other-token':
      return 'refused the secure connection: it has another cluster token';
    case 'no-entgldb':
      return 'answers, but is no EntglDb node';
    default:
      return 'closed the connection; it is busy, has another cluster token, or is no EntglDb node';
  }
}
