import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { NetworkError } from '../../core/errors/index.ts';
import { addressText } from '../address-text.ts';
import type { Address, Listener } from '../transport.ts';
import { plainHost } from './addresses.ts';
import { Admission, type AdmissionLimits, type PendingConnection } from './admission.ts';
import type { ClusterKey } from './keys.ts';
import { isSecure, serverOptions } from './tls-options.ts';

export interface TlsListenerDeps {
  readonly clock: Clock;
  readonly limits: AdmissionLimits;
  readonly keyOf: (id: string) => ClusterKey | undefined;
  /** Authenticates the peer and hands out the channel. The connection counts as pending until the promise settles. */
  readonly onSecure: (socket: TLSSocket, keyId: string, remote: Address) => Promise<void>;
  /** A connection was refused before `onSecure`, and why; `hasOtherToken`: it named a key of another cluster. */
  readonly onRefused: (host: string, why: string, hasOtherToken: boolean) => void;
}

/** A raw connection that is passing admission and TLS. */
interface Arrival extends PendingConnection {
  readonly remote: Address;
  /** The reason to report if it closes now; undefined once TLS has let it in. */
  why: string | undefined;
  /** Whether it named a key, as members of any cluster do and other programs do not. */
  namesKey: boolean;
  /** Whether the key that it named is none of this node's. */
  hasOtherToken: boolean;
}

/** Accepts TCP connections, lets a bounded number at a time pass TLS, and drops the rest early and reliably. */
export class TlsListener implements Listener {
  readonly #deps: TlsListenerDeps;
  readonly #admission: Admission;
  readonly #tls: TlsServer;
  readonly #server: Server;
  readonly #arrivalsByPeer = new Map<string, Arrival>();
  readonly #keyIds = new WeakMap<TLSSocket, string>();
  #address: Address = { host: '', port: 0 };

  constructor(deps: TlsListenerDeps) {
    this.#deps = deps;
    this.#admission = new Admission(deps.clock, deps.limits);
    this.#server = createServer({ noDelay: true }, (raw) => this.#accept(raw));
    this.#tls = createTlsServer(serverOptions((socket, id) => this.#keyOf(socket, id)));
    // Node only reports a failed handshake; it would leave the socket open.
    this.#tls.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#fail(socket, error));
    this.#tls.on('secureConnection', (socket) => this.#secured(socket));
  }

  get address(): Address {
    return this.#address;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  /** Rejects with NETWORK_ERROR / PORT_IN_USE or LISTEN_FAILED. */
  open(wanted: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(wanted, error)));
      this.#server.listen(wanted.port, wanted.host, () => {
        const { address, port } = this.#server.address() as AddressInfo;
        this.#address = { host: address, port };
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => this.#deps.onRefused(address, `accepting failed: ${error.message}`, false));
        resolve();
      });
    });
  }

  /** Accepts no more connections and drops pending ones; channels live on. The port is free again when the promise resolves. */
  async close(): Promise<void> {
    // Node calls back only when the last connection has gone. Channels may outlive the listener, so do not wait for that.
    this.#server.close();
    this.#admission.evictAll();
  }

  #accept(raw: Socket): void {
    raw.on('error', () => raw.destroy());
    const remote = { host: plainHost(raw.remoteAddress ?? ''), port: raw.remotePort ?? 0 };
    const arrival = this.#arrivalOf(raw, remote);
    if (!this.#server.listening || !this.#admission.enter(arrival)) {
      this.#deps.onRefused(remote.host, 'too many connections at a time', false);
      raw.destroy();
      return;
    }
    const cancelDeadline = this.#deps.clock.setTimer(TIMES.handshakeMsMax, () => {
      if (arrival.why === undefined) return;
      arrival.why = `no TLS handshake within ${TIMES.handshakeMsMax} ms`;
      raw.destroy();
    });
    raw.once('close', () => {
      cancelDeadline();
      this.#gone(arrival);
    });
    this.#arrivalsByPeer.set(addressText(remote), arrival);
    raw.setKeepAlive(true, TIMES.tcpKeepAliveMs);
    this.#tls.emit('connection', raw);
  }

  #arrivalOf(raw: Socket, remote: Address): Arrival {
    const arrival: Arrival = {
      host: remote.host,
      remote,
      why: 'the client left during the TLS handshake',
      namesKey: false,
      hasOtherToken: false,
      evict: () => {
        if (arrival.why !== undefined) arrival.why = 'it was the oldest of too many that had proven nothing';
        raw.destroy();
      },
    };
    return arrival;
  }

  #gone(arrival: Arrival): void {
    this.#admission.leave(arrival);
    this.#arrivalsByPeer.delete(addressText(arrival.remote));
    const { host, why, hasOtherToken } = arrival;
    if (why !== undefined && this.#server.listening) this.#deps.onRefused(host, why, hasOtherToken);
  }

  #keyOf(socket: TLSSocket, id: string): ClusterKey | undefined {
    const key = this.#deps.keyOf(id);
    if (key !== undefined) this.#keyIds.set(socket, id);
    const arrival = this.#arrivalOfTls(socket);
    if (arrival !== undefined) arrival.namesKey = true;
    return key;
  }

  #fail(socket: TLSSocket, error: NodeJS.ErrnoException): void {
    const arrival = this.#arrivalOfTls(socket);
    if (arrival !== undefined) {
      arrival.why = whyRefused(error);
      arrival.hasOtherToken = arrival.namesKey && isTokenError(error);
    }
    socket.destroy();
  }

  /** Undefined once the connection has gone, because its socket then has no address. */
  #arrivalOfTls(socket: TLSSocket): Arrival | undefined {
    const remote = { host: plainHost(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    return this.#arrivalsByPeer.get(addressText(remote));
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    const arrival = this.#arrivalOfTls(socket);
    const keyId = this.#keyIds.get(socket);
    if (arrival === undefined || keyId === undefined || !isSecure(socket, false)) {
      if (arrival !== undefined) arrival.why = 'the client does not speak this protocol';
      socket.destroy();
      return;
    }
    arrival.why = undefined;
    void this.#deps.onSecure(socket, keyId, arrival.remote).finally(() => this.#admission.leave(arrival));
  }
}

/** The reason in words that an operator can act on. */
function whyRefused(error: NodeJS.ErrnoException): string {
  return isTokenError(error)
    ? 'the client does not hold the cluster token'
    : `the client does not speak TLS 1.3 with a cluster key (${error.code ?? error.message})`;
}

/** Codes of OpenSSL: the client holds a different key, or it named no known key and there is no certificate to fall back to. */
function isTokenError({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_SSL_BINDER_DOES_NOT_VERIFY' || code === 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM';
}

function listenError(wanted: Address, cause: NodeJS.ErrnoException): NetworkError {
  const details = { host: wanted.host, port: wanted.port, code: cause.code };
  if (cause.code === 'EADDRINUSE') {
    return new NetworkError(
      'PORT_IN_USE',
      `port ${wanted.port} on ${wanted.host} is in use by another program; stop it, choose another port, or 0 for any free one`,
      { details, cause },
    );
  }
  const hint = cause.code === 'EACCES' ? 'ports below 1024 need more rights; choose a higher one' : 'check the address';
  return new NetworkError('LISTEN_FAILED', `cannot listen on ${addressText(wanted)} (${cause.code}); ${hint}`, {
    details,
    cause,
  });
}
