import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock/index.ts';
import { LIMITS, type Limits, TIMES } from '../../core/config/index.ts';
import { ConfigurationError, type EntglDbError, isEntglDbError, NetworkError } from '../../core/errors/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { addressText } from '../address-text.ts';
import type { Address, Channel, DialOptions, Listener, ListenOptions, Transport } from '../transport.ts';
import { isLoopback } from './addresses.ts';
import type { AdmissionLimits } from './admission.ts';
import { type AuthenticateDeps, type Authenticated, authenticate } from './authenticate.ts';
import type { DeviceKey } from './device-key.ts';
import { dialTls } from './dial-tls.ts';
import type { ClusterKey } from './keys.ts';
import { TlsListener } from './listen-tls.ts';
import { NameLookup } from './name-lookup.ts';
import { OwnEnds } from './own-ends.ts';
import { type RefusalLimits, RefusalLog } from './refusal-log.ts';
import { type ChannelLimits, TlsChannel } from './tls-channel.ts';

export type TlsTransportLimits = ChannelLimits & AdmissionLimits & RefusalLimits;

export interface TlsTransportOptions {
  /** At least one. Dialling offers the first, then the others; all are accepted. There are several while the token changes. */
  readonly keys: readonly ClusterKey[];
  readonly deviceKey: DeviceKey;
  readonly clock: Clock;
  /** Default: LIMITS. */
  readonly limits?: Partial<Pick<Limits, keyof TlsTransportLimits>>;
  /** How long connecting and the TLS handshake may take, ms; called for each dial. Default `handshakeMsMax`. */
  readonly connectMsMax?: () => number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** R9: a copy of this node, with the same device key, was met. Called for each such connection, which is closed. */
  readonly onTwin?: (remote: Address) => void;
  /** Someone dialled this node with the token of another cluster; called each time. */
  readonly onOtherToken?: (host: string) => void;
}

/** What the transport has counted since it was made. */
export interface TransportCounts {
  /** Channels that are open now. */
  readonly channels: number;
  readonly accepted: number;
  readonly dialled: number;
  /** Connections refused before they became a channel. */
  readonly refused: number;
  /** Bytes in frames over all channels, including closed ones. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface TlsTransport extends Transport {
  readonly counts: TransportCounts;
  /** Replaces the keys. Channels made with a key that is no longer among them are closed with reason `key removed`. */
  rotateKeys(keys: readonly ClusterKey[]): void;
  /** Closes all listeners and channels. */
  close(): Promise<void>;
}

/**
 * Channels over TCP and TLS 1.3 with the cluster key as pre-shared key, and proofs of the device keys on top. Close reasons
 * besides those passed to `close`: `ended` (by the other end), `slow`, `frame too large`, `frame invalid`, `key removed`,
 * `closing`, and `failed: CODE`. With a loopback-only key, every other address is refused with CONFIG_ERROR / OPTION_INVALID.
 */
export function createTlsTransport(options: TlsTransportOptions): TlsTransport {
  return new TcpTlsTransport(options);
}

class TcpTlsTransport implements TlsTransport {
  readonly #deviceKey: DeviceKey;
  readonly #clock: Clock;
  readonly #limits: TlsTransportLimits;
  readonly #connectMsMax: () => number;
  readonly #logger: Logger;
  readonly #refusals: RefusalLog;
  readonly #onTwin: (remote: Address) => void;
  readonly #onOtherToken: (host: string) => void;
  readonly #ownEnds = new OwnEnds();
  readonly #names: NameLookup;
  readonly #listeners = new Set<TlsListener>();
  /** Open channels, with the id of the key that each was made with. */
  readonly #keyIdByChannel = new Map<TlsChannel, string>();
  readonly #counts = { accepted: 0, dialled: 0, refused: 0, bytesSent: 0, bytesReceived: 0 };
  #keys: readonly ClusterKey[];
  #isClosed = false;

  constructor(options: TlsTransportOptions) {
    this.#keys = requireKeys(options.keys);
    this.#deviceKey = options.deviceKey;
    this.#names = new NameLookup(options.clock);
    this.#clock = options.clock;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#connectMsMax = options.connectMsMax ?? (() => TIMES.handshakeMsMax);
    this.#logger = options.logger ?? silentLogger;
    this.#onTwin = options.onTwin ?? (() => {});
    this.#onOtherToken = options.onOtherToken ?? (() => {});
    this.#refusals = new RefusalLog(options.clock, this.#logger, this.#limits);
  }

  get counts(): TransportCounts {
    let { bytesSent, bytesReceived } = this.#counts;
    for (const channel of this.#keyIdByChannel.keys()) {
      bytesSent += channel.bytesSent;
      bytesReceived += channel.bytesReceived;
    }
    return { ...this.#counts, channels: this.#keyIdByChannel.size, bytesSent, bytesReceived };
  }

  async listen({ host, port, onChannel }: ListenOptions): Promise<Listener> {
    this.#requireAllowed({ host, port });
    const listener = new TlsListener({
      clock: this.#clock,
      limits: this.#limits,
      keyOf: (id) => this.#keys.find((key) => key.id === id),
      onSecure: (socket, keyId, remote) => this.#accept(socket, keyId, remote, onChannel),
      onRefused: (from, why, hasOtherToken) => {
        this.#refuse(from, why);
        if (hasOtherToken) this.#onOtherToken(from);
      },
    });
    await listener.open({ host, port });
    this.#listeners.add(listener);
    return {
      address: listener.address,
      get isListening() {
        return listener.isListening;
      },
      close: () => {
        this.#listeners.delete(listener);
        return listener.close();
      },
    };
  }

  async dial(address: Address, options: DialOptions = {}): Promise<Channel> {
    this.#requireAllowed(address);
    options.signal?.throwIfAborted();
    const { socket, keyId } = await this.#dialWithAnyKey(address, options);
    const abort = (): void => void socket.destroy();
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      const proven = await authenticate(socket, 'dialler', this.#proving());
      const channel = this.#open(socket, proven, keyId, address, true);
      this.#counts.dialled++;
      return channel;
    } catch (error) {
      socket.destroy();
      options.signal?.throwIfAborted();
      if (isEntglDbError(error, 'IDENTITY_FORKED')) this.#onTwin(address);
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
  }

  rotateKeys(keys: readonly ClusterKey[]): void {
    this.#keys = requireKeys(keys);
    const kept = new Set(keys.map((key) => key.id));
    for (const [channel, keyId] of this.#keyIdByChannel) if (!kept.has(keyId)) channel.close('key removed');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const channel of [...this.#keyIdByChannel.keys()]) channel.close('closing');
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  /** Tries the keys in turn: a peer that does not have the new token yet still has the previous one. */
  async #dialWithAnyKey(address: Address, options: DialOptions): Promise<{ socket: TLSSocket; keyId: string }> {
    const [first, ...others] = this.#keys as [ClusterKey, ...ClusterKey[]];
    const work = { ...options, clock: this.#clock, msMax: this.#connectMsMax(), lookup: this.#names.lookup };
    let key = first;
    for (;;) {
      try {
        return { socket: await dialTls(address, key, work), keyId: key.id };
      } catch (error) {
        const next = others.shift();
        if (next === undefined || !isEntglDbError(error, 'HANDSHAKE_FAILED')) throw error;
        key = next;
      }
    }
  }

  async #accept(
    socket: TLSSocket,
    keyId: string,
    remote: Address,
    onChannel: ListenOptions['onChannel'],
  ): Promise<void> {
    const channel = await this.#prove(socket, keyId, remote);
    if (channel === undefined) return;
    this.#counts.accepted++;
    onChannel(channel);
  }

  async #prove(socket: TLSSocket, keyId: string, remote: Address): Promise<TlsChannel | undefined> {
    try {
      const proven = await authenticate(socket, 'acceptor', this.#proving());
      return this.#open(socket, proven, keyId, remote, false);
    } catch (error) {
      if (!isEntglDbError(error)) throw error;
      this.#turnAway(socket, remote, error);
      return undefined;
    }
  }

  #turnAway(socket: TLSSocket, remote: Address, error: EntglDbError): void {
    const isTwin = error.reason === 'IDENTITY_FORKED';
    if (!isTwin && error.reason !== 'SELF_CONNECTION') {
      socket.destroy();
      this.#refuse(remote.host, error.message);
      return;
    }
    // Our proof must still reach the dialling end, so that it learns whom it dialled: itself, or its twin.
    socket.destroySoon();
    if (isTwin) this.#onTwin(remote);
    else this.#logger.debug(remote, 'this node has dialled itself');
  }

  #open(socket: TLSSocket, proven: Authenticated, keyId: string, remote: Address, dialled: boolean): TlsChannel {
    if (this.#isClosed || !this.#keys.some((key) => key.id === keyId)) {
      const why = this.#isClosed ? 'this node is closing' : 'its cluster token was removed meanwhile';
      throw new NetworkError('CONNECTION_CLOSED', `the connection with ${addressText(remote)} was dropped: ${why}`);
    }
    const channel = new TlsChannel({
      socket,
      reader: proven.reader,
      peerKey: proven.peerKey,
      ownKey: this.#deviceKey.publicKey,
      remote,
      dialled,
      clock: this.#clock,
      limits: this.#limits,
      onGone: (gone) => this.#forget(gone),
    });
    if (!channel.isClosed) this.#keyIdByChannel.set(channel, keyId);
    return channel;
  }

  #proving(): AuthenticateDeps {
    return { deviceKey: this.#deviceKey, clock: this.#clock, ownEnds: this.#ownEnds };
  }

  #forget(channel: TlsChannel): void {
    if (!this.#keyIdByChannel.delete(channel)) return;
    this.#counts.bytesSent += channel.bytesSent;
    this.#counts.bytesReceived += channel.bytesReceived;
  }

  #refuse(host: string, why: string): void {
    this.#counts.refused++;
    this.#refusals.report(host, why);
  }

  #requireAllowed(address: Address): void {
    if (isLoopback(address.host) || !this.#keys.some((key) => key.loopbackOnly)) return;
    throw new ConfigurationError(
      'OPTION_INVALID',
      `${addressText(address)} is not this machine, and a node without a cluster token talks over loopback only; run \`entgldb init\` for a token`,
      { details: { ...address } },
    );
  }
}

function requireKeys(keys: readonly ClusterKey[]): readonly ClusterKey[] {
  if (keys.length === 0) throw new RangeError('a transport needs at least one cluster key');
  return keys;
}
