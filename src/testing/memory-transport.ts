import type { Clock } from '../core/clock/index.ts';
import { LIMITS, type Limits, TIMES } from '../core/config/index.ts';
import { NetworkError, SyncError, TimeoutError } from '../core/errors/index.ts';
import { FRAME_TOO_LARGE } from '../core/replication/index.ts';
import {
  type Address,
  type Channel,
  ChannelEnd,
  type DialOptions,
  type Listener,
  type ListenOptions,
  type Transport,
} from '../net/index.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** How long each frame and each dial takes, one way. Default: 0 ms, which is still after the call. */
  readonly latencyMs?: number;
  /** Default: LIMITS. */
  readonly limits?: Partial<MemoryLimits>;
}

export type MemoryLimits = Pick<Limits, 'frameBytesMax' | 'channelBufferBytesMax' | 'channelHighWaterBytes'>;

/** A network in memory: its transports reach each other by host and port, and time passes only on its clock. */
export interface MemoryNetwork {
  /** `deviceKey` identifies this end to peers; `host` is the name under which it listens. */
  createTransport(options: { readonly deviceKey: string; readonly host: string }): Transport;
  /** Sets whether frames and dials get from one host to another; may differ by direction. Default: all do. Frames wait meanwhile. */
  setReachable(from: string, to: string, isReachable: boolean): void;
}

const FIRST_FREE_PORT = 49_152;

/**
 * The reference implementation of the transport port, deterministic for a given clock and sequence of calls. Frames travel on
 * timers of the clock, so time passes only when a test advances it.
 */
export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  const network = new Network(options);
  return {
    createTransport: ({ deviceKey, host }) => new MemoryTransport(network, deviceKey, host),
    setReachable: (from, to, isReachable) => network.setReachable(from, to, isReachable),
  };
}

interface Door {
  readonly deviceKey: string;
  readonly onChannel: (channel: Channel) => void;
}

class Network {
  readonly clock: Clock;
  readonly latencyMs: number;
  readonly limits: MemoryLimits;
  readonly doors = new Map<string, Door>();
  readonly #cuts = new Set<string>();
  readonly #waiting = new Map<string, Set<() => void>>();
  #nextPort = FIRST_FREE_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.clock = options.clock;
    this.latencyMs = options.latencyMs ?? 0;
    this.limits = { ...LIMITS, ...options.limits };
  }

  takePort(): number {
    return this.#nextPort++;
  }

  isReachable(from: string, to: string): boolean {
    return !this.#cuts.has(`${from}>${to}`);
  }

  setReachable(from: string, to: string, isReachable: boolean): void {
    const way = `${from}>${to}`;
    if (!isReachable) {
      this.#cuts.add(way);
      return;
    }
    this.#cuts.delete(way);
    const woken = this.#waiting.get(way) ?? [];
    this.#waiting.delete(way);
    for (const wake of woken) wake();
  }

  /** Calls `wake` once when the path is open again. */
  whenReachable(from: string, to: string, wake: () => void): void {
    const way = `${from}>${to}`;
    const waiting = this.#waiting.get(way) ?? new Set();
    this.#waiting.set(way, waiting.add(wake));
  }
}

class MemoryTransport implements Transport {
  readonly #network: Network;
  readonly #deviceKey: string;
  readonly #host: string;

  constructor(network: Network, deviceKey: string, host: string) {
    this.#network = network;
    this.#deviceKey = deviceKey;
    this.#host = host;
  }

  async listen({ host, port, onChannel }: ListenOptions): Promise<Listener> {
    const { doors } = this.#network;
    const address = { host, port: port === 0 ? this.#network.takePort() : port };
    const name = doorName(address);
    if (doors.has(name))
      throw new NetworkError('PORT_IN_USE', `port ${port} on ${host} is in use`, { details: address });
    const door = { deviceKey: this.#deviceKey, onChannel };
    doors.set(name, door);
    return {
      address,
      get isListening() {
        return doors.get(name) === door;
      },
      close: async () => {
        if (doors.get(name) === door) doors.delete(name);
      },
    };
  }

  dial(address: Address, options: DialOptions = {}): Promise<Channel> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const settle = (): void => {
        cancel();
        signal?.removeEventListener('abort', aborted);
      };
      const aborted = (): void => {
        settle();
        reject(signal?.reason);
      };
      const { clock, latencyMs } = this.#network;
      const isOpen = this.#isRoundTripOpen(address.host);
      const cancel = clock.setTimer(isOpen ? latencyMs : TIMES.handshakeMsMax, () => {
        settle();
        if (isOpen) this.#connect(address, resolve, reject);
        else reject(new TimeoutError(`${doorName(address)} did not answer`, { details: { ...address } }));
      });
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  #isRoundTripOpen(host: string): boolean {
    return this.#network.isReachable(this.#host, host) && this.#network.isReachable(host, this.#host);
  }

  #connect(address: Address, resolve: (channel: Channel) => void, reject: (error: Error) => void): void {
    const door = this.#network.doors.get(doorName(address));
    if (door === undefined) {
      const message = `cannot connect to ${doorName(address)}: nobody listens there`;
      return reject(new NetworkError('CONNECT_FAILED', message, { details: { ...address } }));
    }
    if (door.deviceKey === this.#deviceKey) {
      return reject(new SyncError('SELF_CONNECTION', `${doorName(address)} is this very node`));
    }
    const own = { key: this.#deviceKey, address: { host: this.#host, port: this.#network.takePort() } };
    const peer = { key: door.deviceKey, address };
    const dialled = new MemoryChannel(this.#network, own, peer, true);
    const accepted = new MemoryChannel(this.#network, peer, own, false);
    dialled.join(accepted);
    accepted.join(dialled);
    door.onChannel(accepted);
    resolve(dialled);
  }
}

interface End {
  readonly key: string;
  readonly address: Address;
}

class MemoryChannel implements Channel {
  readonly peerKey: string;
  readonly ownKey: string;
  readonly remote: Address;
  readonly dialled: boolean;
  bytesSent = 0;
  bytesReceived = 0;
  onDrain: () => void = () => {};
  readonly #network: Network;
  readonly #ownHost: string;
  /** Frames on their way to the peer; null is the end of the channel. */
  readonly #outgoing: (Uint8Array | null)[] = [];
  readonly #early: Uint8Array[] = [];
  readonly #end = new ChannelEnd();
  #peer: MemoryChannel | undefined;
  #bytesWaiting = 0;
  #isFull = false;
  #isBlocked = false;
  #onFrame: ((frame: Uint8Array) => void) | undefined;

  constructor(network: Network, own: End, peer: End, dialled: boolean) {
    this.#network = network;
    this.#ownHost = own.address.host;
    this.ownKey = own.key;
    this.peerKey = peer.key;
    this.remote = peer.address;
    this.dialled = dialled;
  }

  join(peer: MemoryChannel): void {
    this.#peer = peer;
  }

  get onFrame(): (frame: Uint8Array) => void {
    return this.#onFrame ?? (() => {});
  }

  set onFrame(deliver: (frame: Uint8Array) => void) {
    this.#onFrame = deliver;
    queueMicrotask(() => this.#deliverEarly());
  }

  get onClose(): (reason: string) => void {
    return this.#end.listener;
  }

  set onClose(listener: (reason: string) => void) {
    this.#end.listener = listener;
  }

  send(frame: Uint8Array): boolean {
    if (this.#end.isReached) return false;
    const { channelBufferBytesMax, channelHighWaterBytes } = this.#network.limits;
    if (this.#bytesWaiting > channelBufferBytesMax) {
      this.#abort('slow');
      return false;
    }
    this.bytesSent += frame.length;
    this.#bytesWaiting += frame.length;
    // A copy, as on a real wire: the sender may reuse its bytes afterwards.
    this.#carry(frame.slice());
    if (this.#bytesWaiting >= channelHighWaterBytes) this.#isFull = true;
    return !this.#isFull;
  }

  close(reason = 'closed'): void {
    if (this.#end.reach(reason)) this.#carry(null);
  }

  /** Closes immediately; frames on their way are lost. */
  #abort(reason: string): void {
    if (!this.#end.reach(reason)) return;
    this.#outgoing.length = 0;
    this.#carry(null);
  }

  #carry(item: Uint8Array | null): void {
    this.#outgoing.push(item);
    this.#network.clock.setTimer(this.#network.latencyMs, () => this.#arrive());
  }

  /** There is one timer per item; each one that fires takes the first item. */
  #arrive(): void {
    if (this.#isBlocked) return;
    if (this.#network.isReachable(this.#ownHost, this.remote.host)) return this.#handOver();
    this.#isBlocked = true;
    this.#network.whenReachable(this.#ownHost, this.remote.host, () => {
      this.#isBlocked = false;
      while (this.#outgoing.length > 0 && !this.#isBlocked) this.#arrive();
    });
  }

  #handOver(): void {
    const item = this.#outgoing.shift();
    if (item === undefined) return;
    if (item === null) this.#peer?.close('ended');
    else this.#peer?.receive(item);
    this.#bytesWaiting -= item?.length ?? 0;
    if (this.#isFull && this.#bytesWaiting === 0) this.#drain();
  }

  #drain(): void {
    this.#isFull = false;
    if (!this.#end.isReached) this.onDrain();
  }

  receive(frame: Uint8Array): void {
    if (this.#end.isReached) return;
    if (frame.length === 0 || frame.length > this.#network.limits.frameBytesMax) {
      return this.#abort(frame.length === 0 ? 'frame invalid' : FRAME_TOO_LARGE);
    }
    this.bytesReceived += frame.length;
    this.#early.push(frame);
    if (this.#onFrame !== undefined) this.#deliverEarly();
  }

  #deliverEarly(): void {
    while (!this.#end.isReached && this.#early.length > 0) this.#onFrame?.(this.#early.shift()!);
  }
}

function doorName({ host, port }: Address): string {
  return `${host}:${port}`;
}
