import { type Clock, sleep } from '../core/clock/index.ts';
import { LIMITS } from '../core/config/index.ts';
import { NetworkError } from '../core/errors/index.ts';
import {
  type Address,
  type Channel,
  ChannelEnd,
  type DialOptions,
  type Listener,
  type ListenOptions,
  type Transport,
} from '../net/index.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What goes wrong, and how often. The port promises order, so no frame is lost or reordered within an open channel. */
export interface ChaosFaults {
  /** Each frame is delayed by up to this time, together with those behind it. */
  readonly frameDelayMsMax: number;
  /** Probability that a frame ends its channel instead of being sent. */
  readonly cutChance: number;
  /** Probability that this direction of the channel stalls after a frame, for up to `stallMsMax`. */
  readonly stallChance: number;
  readonly stallMsMax: number;
  /** Each dial is delayed by up to this time. */
  readonly dialDelayMsMax: number;
  /** Probability that a dial fails. */
  readonly dialFailChance: number;
}

/** Faults that are all off. */
export const NO_FAULTS: ChaosFaults = {
  frameDelayMsMax: 0,
  cutChance: 0,
  stallChance: 0,
  stallMsMax: 0,
  dialDelayMsMax: 0,
  dialFailChance: 0,
};

export interface ChaosTransportOptions {
  readonly inner: Transport;
  readonly clock: Clock;
  readonly random: SeededRandom;
  /** Default: none. */
  readonly faults?: Partial<ChaosFaults>;
}

export type Direction = 'in' | 'out';

/** A transport that disturbs what goes over another one. */
export interface ChaosTransport extends Transport {
  /** Changes the given faults from now on; others stay. */
  setFaults(faults: Partial<ChaosFaults>): void;
  /** Cuts all open channels; both ends notice. */
  cutAll(): void;
  /** Stalls or releases one direction of all present and future channels: a one-way partition. */
  setStalled(direction: Direction, isStalled: boolean): void;
}

/** Wraps a transport to behave as badly as a real network, at random from a seed; without faults it changes nothing. */
export function createChaosTransport(options: ChaosTransportOptions): ChaosTransport {
  return new FaultyTransport(options);
}

class Chaos {
  readonly clock: Clock;
  readonly random: SeededRandom;
  faults: ChaosFaults;
  readonly stalled = new Set<Direction>();
  readonly channels = new Set<FaultyChannel>();

  constructor({ clock, random, faults }: ChaosTransportOptions) {
    this.clock = clock;
    this.random = random;
    this.faults = { ...NO_FAULTS, ...faults };
  }

  /** Draws no number if the chance is 0, so that faults that are off do not change other draws. */
  happens(chance: number): boolean {
    return chance > 0 && this.random.chance(chance);
  }

  upTo(msMax: number): number {
    return msMax > 0 ? this.random.next() * msMax : 0;
  }
}

class FaultyTransport implements ChaosTransport {
  readonly #inner: Transport;
  readonly #chaos: Chaos;

  constructor(options: ChaosTransportOptions) {
    this.#inner = options.inner;
    this.#chaos = new Chaos(options);
  }

  listen(options: ListenOptions): Promise<Listener> {
    return this.#inner.listen({
      ...options,
      onChannel: (channel) => options.onChannel(new FaultyChannel(channel, this.#chaos)),
    });
  }

  async dial(address: Address, options: DialOptions = {}): Promise<Channel> {
    const { faults } = this.#chaos;
    const delayMs = this.#chaos.upTo(faults.dialDelayMsMax);
    if (delayMs > 0) await sleep(this.#chaos.clock, delayMs, options.signal);
    if (this.#chaos.happens(faults.dialFailChance)) {
      throw new NetworkError('CONNECT_FAILED', `the network failed on the way to ${address.host}:${address.port}`);
    }
    return new FaultyChannel(await this.#inner.dial(address, options), this.#chaos);
  }

  setFaults(faults: Partial<ChaosFaults>): void {
    this.#chaos.faults = { ...this.#chaos.faults, ...faults };
  }

  cutAll(): void {
    for (const channel of [...this.#chaos.channels]) channel.cut();
  }

  setStalled(direction: Direction, isStalled: boolean): void {
    if (isStalled) this.#chaos.stalled.add(direction);
    else this.#chaos.stalled.delete(direction);
    if (!isStalled) for (const channel of [...this.#chaos.channels]) channel.release(direction);
  }
}

/** What travels in a lane: a frame, or the end of the channel with its reason. */
type Item = Uint8Array | { readonly reason: string };

/** One direction of a channel: items leave in order, each no earlier than its time. */
class Lane {
  readonly #chaos: Chaos;
  readonly #direction: Direction;
  readonly #deliver: (item: Item) => void;
  readonly #items: { readonly item: Item; readonly dueAt: number }[] = [];
  #cancelTimer: (() => void) | undefined;
  #stillUntil = 0;
  bytesWaiting = 0;

  constructor(chaos: Chaos, direction: Direction, deliver: (item: Item) => void) {
    this.#chaos = chaos;
    this.#direction = direction;
    this.#deliver = deliver;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  push(item: Item): void {
    const now = this.#chaos.clock.monotonic();
    const { frameDelayMsMax, stallChance, stallMsMax } = this.#chaos.faults;
    const dueAt = Math.max(now + this.#chaos.upTo(frameDelayMsMax), this.#stillUntil);
    if (this.#chaos.happens(stallChance)) this.#stillUntil = dueAt + this.#chaos.upTo(stallMsMax);
    this.#items.push({ item, dueAt });
    this.bytesWaiting += bytesOf(item);
    this.run();
  }

  clear(): void {
    this.#items.length = 0;
    this.bytesWaiting = 0;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Delivers items that are due, then waits for the next. */
  run(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const now = this.#chaos.clock.monotonic();
    while (!this.#chaos.stalled.has(this.#direction)) {
      const first = this.#items[0];
      if (first === undefined) return;
      if (first.dueAt > now) {
        this.#cancelTimer = this.#chaos.clock.setTimer(first.dueAt - now, () => this.run());
        return;
      }
      this.#items.shift();
      this.bytesWaiting -= bytesOf(first.item);
      this.#deliver(first.item);
    }
  }
}

class FaultyChannel implements Channel {
  onDrain: () => void = () => {};
  readonly #inner: Channel;
  readonly #chaos: Chaos;
  readonly #out: Lane;
  readonly #in: Lane;
  readonly #end = new ChannelEnd();
  #innerHasRoom = true;
  #isFull = false;
  #onFrame: ((frame: Uint8Array) => void) | undefined;

  constructor(inner: Channel, chaos: Chaos) {
    this.#inner = inner;
    this.#chaos = chaos;
    this.#out = new Lane(chaos, 'out', (item) => this.#sendOn(item));
    this.#in = new Lane(chaos, 'in', (item) => this.#receive(item));
    inner.onDrain = () => this.#drained();
    inner.onClose = (reason) => this.#innerClosed(reason);
    chaos.channels.add(this);
  }

  get peerKey(): string {
    return this.#inner.peerKey;
  }
  get ownKey(): string {
    return this.#inner.ownKey;
  }
  get remote(): Address {
    return this.#inner.remote;
  }
  get dialled(): boolean {
    return this.#inner.dialled;
  }
  get bytesSent(): number {
    return this.#inner.bytesSent;
  }
  get bytesReceived(): number {
    return this.#inner.bytesReceived;
  }

  get onFrame(): (frame: Uint8Array) => void {
    return this.#onFrame ?? (() => {});
  }

  set onFrame(deliver: (frame: Uint8Array) => void) {
    this.#onFrame = deliver;
    this.#inner.onFrame = (frame) => this.#arrived(frame);
  }

  get onClose(): (reason: string) => void {
    return this.#end.listener;
  }

  set onClose(listener: (reason: string) => void) {
    this.#end.listener = listener;
  }

  send(frame: Uint8Array): boolean {
    if (this.#end.isReached) return false;
    if (this.#chaos.happens(this.#chaos.faults.cutChance)) {
      this.cut();
      return false;
    }
    if (this.#out.bytesWaiting > LIMITS.channelBufferBytesMax) {
      this.cut('slow');
      return false;
    }
    this.#out.push(this.#out.isEmpty ? frame : frame.slice());
    const hasRoom = this.#innerHasRoom && this.#out.bytesWaiting < LIMITS.channelHighWaterBytes;
    if (!hasRoom) this.#isFull = true;
    return hasRoom && !this.#end.isReached;
  }

  close(reason = 'closed'): void {
    if (!this.#end.reach(reason)) return;
    this.#in.clear();
    this.#out.push({ reason });
  }

  /** Ends the channel immediately: items on their way are lost. */
  cut(reason = 'cut'): void {
    this.#end.reach(reason);
    this.#in.clear();
    this.#out.clear();
    this.#chaos.channels.delete(this);
    this.#inner.close(reason);
  }

  release(direction: Direction): void {
    if (direction === 'out') this.#out.run();
    else this.#in.run();
  }

  #sendOn(item: Item): void {
    if (item instanceof Uint8Array) {
      this.#innerHasRoom = this.#inner.send(item);
      if (this.#innerHasRoom) this.#drained();
      return;
    }
    this.#chaos.channels.delete(this);
    this.#inner.close(item.reason);
  }

  #drained(): void {
    this.#innerHasRoom = true;
    if (!this.#isFull || !this.#out.isEmpty || this.#end.isReached) return;
    this.#isFull = false;
    this.onDrain();
  }

  #arrived(frame: Uint8Array): void {
    if (this.#end.isReached) return;
    if (this.#in.bytesWaiting > LIMITS.channelBufferBytesMax) this.cut('slow');
    else this.#in.push(frame);
  }

  /** The end of the inner channel is delivered after the frames that came before it. */
  #innerClosed(reason: string): void {
    this.#out.clear();
    if (!this.#end.isReached) this.#in.push({ reason });
    else this.#chaos.channels.delete(this);
  }

  #receive(item: Item): void {
    if (this.#end.isReached) return;
    if (item instanceof Uint8Array) {
      this.#onFrame?.(item);
      return;
    }
    this.#end.reach(item.reason);
    this.#chaos.channels.delete(this);
  }
}

function bytesOf(item: Item): number {
  return item instanceof Uint8Array ? item.length : 0;
}
