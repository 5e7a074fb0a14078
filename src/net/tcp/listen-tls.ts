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
  /** Authenticates and hands out; the connection keeps its place among the pending ones until it has settled. */
  readonly onSecure: (socket: TLSSocket, keyId: string, remote: Address) => Promise<void>;
  /** A connection that never got as far, and why; `hasOtherToken`: it named a key of another cluster. */
  readonly onRefused: (host: string, why: string, hasOtherToken: boolean) => void;
}

/** A raw connection on its way through admission and TLS. */
interface Arrival extends PendingConnection {
  readonly remote: Address;
  /** Why it will have been refused, if it closes now; undefined once TLS has let it in. */
  why: string | undefined;
  /** It named a key, as members of any cluster do and other programs do not. */
  namesKey: boolean;
  /** The key is none of this node's. */
  hasOtherToken: boolean;
}

/** Accepts TCP connections, lets few of them at a time through TLS, and drops the rest early and for certain. */
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
    // Node only tells of a failed handshake; the socket would stay open.
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

  /** Accepts no more and drops what is pending; channels live on. The port is free again when it resolves. */
  async close(): Promise<void> {
    // Node calls back when the last connection has gone: channels may outlive the listener, so nobody waits for that.
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

  /** Undefined once the connection has gone: its socket has no address any more. */
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

/** What an operator can do something about. */
function whyRefused(error: NodeJS.ErrnoException): string {
  return isTokenError(error)
    ? 'the client does not hold the cluster token'
    : `the client does not speak TLS 1.3 with a cluster key (${error.code ?? error.message})`;
}

/** The codes are OpenSSL's: the key is another one, or none that is known was named and there is no certificate instead. */
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
