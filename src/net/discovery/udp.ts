import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces, platform } from 'node:os';
import { LIMITS } from '../../core/config/index.ts';
import { NetworkError } from '../../core/errors/index.ts';
import { BEACON_BYTES_MAX } from './beacon.ts';
import type { Datagram, DatagramPort, DatagramTarget, InterfaceState } from './datagram-port.ts';
import { LOOPBACK_BROADCAST, type LocalAddress, MULTICAST_GROUP, planInterfaces, proximityOf } from './interfaces.ts';

export interface UdpPortOptions {
  /** Announces through the loopback interface only, and ignores datagrams from elsewhere. Default false. */
  readonly localhostOnly?: boolean;
  /** For tests: reads the list of interfaces. Default: the system's. */
  readonly readInterfaces?: typeof networkInterfaces;
}

/** A local address, the socket that sends from it, and its state. */
interface Sender {
  readonly local: LocalAddress;
  socket: Socket | undefined;
  state: InterfaceState['state'];
  reason: string | null;
  readonly sentByTarget: Map<string, number>;
}

/**
 * Beacons over UDP. One socket per family receives for all interfaces, on a port that all nodes of a host share: a
 * broadcast or multicast reaches all of them. Each IPv4 address has its own socket to send from, because only a bound
 * socket sends a broadcast through the intended interface, and only a bound one sends without a default route.
 */
export function createUdpPort(options: UdpPortOptions = {}): DatagramPort {
  return new UdpPort(options);
}

class UdpPort implements DatagramPort {
  readonly #localhostOnly: boolean;
  readonly #readInterfaces: typeof networkInterfaces;
  #onDatagram: (datagram: Datagram) => void = () => {};
  #locals: LocalAddress[] = [];
  #senders: Sender[] = [];
  #receiver4: Socket | undefined;
  #receiver6: Socket | undefined;
  /** Why IPv6 does not work on this host, or null. */
  #problem6: string | null = null;
  #port = 0;
  #isClosed = false;

  constructor(options: UdpPortOptions) {
    this.#localhostOnly = options.localhostOnly ?? false;
    this.#readInterfaces = options.readInterfaces ?? networkInterfaces;
  }

  async bind(port: number, onDatagram: (datagram: Datagram) => void): Promise<number> {
    this.#onDatagram = onDatagram;
    this.#locals = this.#plan();
    this.#receiver4 = await this.#bindReceiver4(port);
    this.#port = this.#receiver4.address().port;
    if (!this.#localhostOnly) await this.#bindReceiver6();
    if (this.#isClosed) this.#closeSockets();
    else await this.#openSenders(this.#locals);
    return this.#port;
  }

  targets(): readonly DatagramTarget[] {
    return this.#senders
      .filter((sender) => sender.socket !== undefined)
      .flatMap(({ local }) =>
        local.targets.map((host) => ({ interfaceName: local.interfaceName, host, from: local.address })),
      );
  }

  send(bytes: Uint8Array, target: DatagramTarget): void {
    const sender = this.#senders.find(
      ({ local }) => local.address === target.from && local.interfaceName === target.interfaceName,
    );
    if (sender?.socket === undefined) return;
    sender.socket.send(bytes, this.#port, target.host, (error) => {
      if (error) return fail(sender, error);
      sender.state = 'ok';
      sender.reason = null;
      sender.sentByTarget.set(target.host, (sender.sentByTarget.get(target.host) ?? 0) + 1);
    });
  }

  refresh(): boolean {
    if (this.#isClosed || this.#receiver4 === undefined) return false;
    const locals = this.#plan();
    const isChanged = JSON.stringify(locals) !== JSON.stringify(this.#locals);
    this.#locals = locals;
    if (isChanged) void this.#openSenders(locals);
    else for (const sender of this.#senders) this.#keepOpen(sender);
    return isChanged;
  }

  /** Joins the group again, because an interface that went away and came back unnoticed, with its name and addresses, is no member. */
  #keepOpen(sender: Sender): void {
    if (sender.socket === undefined) void this.#openSender(sender);
    else if (sender.local.family === 6) this.#joinGroup(sender);
  }

  describe(): readonly InterfaceState[] {
    return this.#senders.flatMap(({ local, state, reason, sentByTarget }) => {
      const targets = local.targets.length === 0 ? [null] : local.targets;
      return targets.map((target) => ({
        interfaceName: local.interfaceName,
        address: local.address,
        target,
        state,
        reason,
        datagramsSent: target === null ? 0 : (sentByTarget.get(target) ?? 0),
      }));
    });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#closeSockets();
    return Promise.resolve();
  }

  #plan(): LocalAddress[] {
    return planInterfaces(this.#readInterfaces(), {
      localhostOnly: this.#localhostOnly,
      hasNumericScopes: platform() === 'win32',
      interfacesMax: LIMITS.interfacesMax,
    });
  }

  /** LocalhostOnly binds the loopback broadcast address where the system allows it; elsewhere `#deliver` filters. */
  async #bindReceiver4(port: number): Promise<Socket> {
    if (this.#localhostOnly) {
      try {
        return await this.#bindReceiver('udp4', port, LOOPBACK_BROADCAST);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw listenError(port, error);
      }
    }
    try {
      return await this.#bindReceiver('udp4', port, '0.0.0.0');
    } catch (error) {
      throw listenError(port, error);
    }
  }

  async #bindReceiver6(): Promise<void> {
    try {
      this.#receiver6 = await this.#bindReceiver('udp6', this.#port, '::');
    } catch (error) {
      this.#problem6 = `IPv6 does not work on this host: ${(error as Error).message}`;
    }
  }

  #bindReceiver(type: 'udp4' | 'udp6', port: number, address: string): Promise<Socket> {
    const socket = createSocket({ type, reuseAddr: true, ipv6Only: type === 'udp6' });
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ port, address, exclusive: true }, () => {
        socket.removeAllListeners('error');
        // A receive error concerns a single datagram (Windows reports unreachable ports here); the socket stays usable.
        socket.on('error', () => {});
        socket.on('message', (bytes, from) => this.#deliver(bytes, from));
        resolve(socket);
      });
    });
  }

  #deliver(bytes: Uint8Array, from: RemoteInfo): void {
    if (this.#isClosed || bytes.length > BEACON_BYTES_MAX) return;
    if (this.#localhostOnly && !from.address.startsWith('127.')) return;
    this.#onDatagram({ bytes, host: from.address, proximity: proximityOf(from.address, this.#locals) });
  }

  /** Resolves when every sender is open or has failed; never rejects. */
  async #openSenders(locals: readonly LocalAddress[]): Promise<void> {
    for (const sender of this.#senders) this.#closeSender(sender);
    this.#senders = locals.map((local) => {
      const state = local.targets.length === 0 ? 'skipped' : 'opening';
      return { local, socket: undefined, state, reason: local.reason, sentByTarget: new Map() };
    });
    await Promise.all(this.#senders.map((sender) => this.#openSender(sender)));
  }

  async #openSender(sender: Sender): Promise<void> {
    if (sender.local.targets.length === 0) return;
    if (sender.local.family === 4) await this.#openSender4(sender);
    else this.#joinGroup(sender);
  }

  #openSender4(sender: Sender): Promise<void> {
    const socket = createSocket('udp4');
    return new Promise((resolve) => {
      socket.once('error', (error) => {
        socket.removeAllListeners('error').on('error', () => {});
        if (sender.socket === socket) sender.socket = undefined;
        fail(sender, error);
        socket.close();
        resolve();
      });
      socket.bind({ port: 0, address: sender.local.address, exclusive: true }, () => {
        resolve();
        if (this.#isClosed || !this.#senders.includes(sender)) return socket.close();
        socket.setBroadcast(true);
        sender.socket = socket;
      });
    });
  }

  #joinGroup(sender: Sender): void {
    if (this.#receiver6 === undefined) return fail(sender, new Error(this.#problem6 ?? 'IPv6 is not open'));
    const scope = sender.local.targets[0]!.split('%')[1]!;
    try {
      this.#receiver6.addMembership(MULTICAST_GROUP, `::%${scope}`);
      sender.socket = this.#receiver6;
    } catch (error) {
      // Already a member: the interface went away and came back under its old name. That is fine.
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') sender.socket = this.#receiver6;
      else fail(sender, error as Error);
    }
  }

  #closeSender(sender: Sender): void {
    const { socket } = sender;
    sender.socket = undefined;
    if (socket !== undefined && socket !== this.#receiver6) socket.close();
  }

  #closeSockets(): void {
    for (const sender of this.#senders) this.#closeSender(sender);
    this.#senders = [];
    this.#receiver4?.close();
    this.#receiver6?.close();
    this.#receiver4 = undefined;
    this.#receiver6 = undefined;
  }
}

function fail(sender: Sender, error: Error): void {
  sender.state = 'failed';
  sender.reason = error.message;
}

function listenError(port: number, cause: unknown): NetworkError {
  const isInUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  return isInUse
    ? new NetworkError(
        'PORT_IN_USE',
        `UDP port ${port} is held by a program that does not share it; set another UdpPort`,
        {
          details: { port },
          cause,
        },
      )
    : new NetworkError('LISTEN_FAILED', `cannot open UDP port ${port}: ${(cause as Error).message}`, {
        details: { port },
        cause,
      });
}
