import type { Clock } from '../src/core/clock/index.ts';
import type { Channel } from '../src/net/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';

export interface NetworkFaults {
  /** Mean delay of a frame, ms. */
  readonly delayMs: number;
  /** Probability that a frame kills its channel instead of arriving. */
  readonly cutChance: number;
}

/** One end of a connection. Frames arrive in order or not at all, as the transport port promises. */
class VirtualChannel implements Channel {
  readonly peerKey: string;
  readonly ownKey: string;
  readonly dialled: boolean;
  readonly remote = { host: 'virtual', port: 1 };
  bytesSent = 0;
  bytesReceived = 0;
  onFrame: (frame: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onClose: (reason: string) => void = () => {};
  other: VirtualChannel | undefined;
  readonly #network: VirtualNetwork;
  readonly #underWay: (() => void)[] = [];
  #busyUntil = 0;
  #isClosed = false;
  #isDeaf = false;

  constructor(network: VirtualNetwork, ownKey: string, peerKey: string, dialled: boolean) {
    this.#network = network;
    this.ownKey = ownKey;
    this.peerKey = peerKey;
    this.dialled = dialled;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(frame: Uint8Array): boolean {
    if (this.#isClosed) return false;
    this.bytesSent += frame.length;
    this.#network.frames++;
    if (this.#network.isCut()) this.#arrive(() => this.drop());
    else this.#arrive(() => this.other!.deliver(frame, this.ownKey));
    return true;
  }

  /** What was sent first arrives first, even if two arrival times round to the same number. */
  #arrive(event: () => void): void {
    this.#underWay.push(event);
    this.#busyUntil = this.#network.arrival(this.#busyUntil);
    this.#network.at(this.#busyUntil, () => this.#underWay.shift()!());
  }

  /** Once a partition has swallowed a frame, nothing behind it arrives either: a stream has no holes. */
  deliver(frame: Uint8Array, from: string): void {
    this.#isDeaf ||= this.#network.isBlocked(from, this.ownKey);
    if (this.#isClosed || this.#isDeaf) return;
    this.bytesReceived += frame.length;
    this.onFrame(frame);
  }

  close(reason = 'closed'): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrive(() => this.other!.end(reason));
  }

  /** Ends the connection; both ends learn of it at once. */
  drop(): void {
    this.end('cut');
    this.other!.end('cut');
  }

  end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose(reason);
  }
}

/** A virtual network with delays, cuts, and one-way or two-way partitions, all drawn from one seed. */
export class VirtualNetwork {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #channels: VirtualChannel[] = [];
  readonly #blocked = new Map<string, Set<string>>();
  faults: NetworkFaults;
  frames = 0;

  constructor(clock: Clock, random: SeededRandom, faults: NetworkFaults) {
    this.#clock = clock;
    this.#random = random;
    this.faults = faults;
  }

  /** Both ends of a new connection; undefined if the nodes cannot reach each other. */
  connect(a: string, b: string): [Channel, Channel] | undefined {
    if (this.isBlocked(a, b) || this.isBlocked(b, a)) return undefined;
    const dialler = new VirtualChannel(this, a, b, true);
    const acceptor = new VirtualChannel(this, b, a, false);
    dialler.other = acceptor;
    acceptor.other = dialler;
    for (let i = this.#channels.length; i--; ) if (this.#channels[i]!.isClosed) this.#channels.splice(i, 1);
    this.#channels.push(dialler, acceptor);
    return [dialler, acceptor];
  }

  /** From now on, frames from `a` to `b` vanish. Only silence shows it to whoever waits for them. */
  block(a: string, b: string): void {
    this.#blocked.set(a, (this.#blocked.get(a) ?? new Set()).add(b));
  }

  heal(): void {
    this.#blocked.clear();
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.get(from)?.has(to) ?? false;
  }

  /** Drops all connections of a node, as when it crashes. */
  dropAllOf(key: string): void {
    for (const channel of this.#channels) if (channel.ownKey === key && !channel.isClosed) channel.drop();
  }

  arrival(busyUntil: number): number {
    const delay = this.faults.delayMs * -Math.log(1 - this.#random.next());
    return Math.max(busyUntil, this.#clock.monotonic() + Math.min(delay, 10_000));
  }

  isCut(): boolean {
    return this.#random.chance(this.faults.cutChance);
  }

  at(timeMs: number, run: () => void): void {
    this.#clock.setTimer(timeMs - this.#clock.monotonic(), run);
  }
}
