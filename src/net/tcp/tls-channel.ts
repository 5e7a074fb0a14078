import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock/index.ts';
import { type Limits, TIMES } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { FRAME_TOO_LARGE } from '../../core/replication/index.ts';
import { ChannelEnd } from '../channel-end.ts';
import type { Address, Channel } from '../transport.ts';
import { FRAME_HEADER_BYTES, type FrameReader, frameHeader } from './framing.ts';
import { ProgressWatch } from './progress-watch.ts';

export type ChannelLimits = Pick<
  Limits,
  'frameBytesMax' | 'channelBufferBytesMax' | 'channelHighWaterBytes' | 'channelBytesPerSecondMin'
>;

export interface TlsChannelDeps {
  readonly socket: TLSSocket;
  /** May already hold the first bytes after the proof. */
  readonly reader: FrameReader;
  readonly peerKey: string;
  readonly ownKey: string;
  readonly remote: Address;
  readonly dialled: boolean;
  readonly clock: Clock;
  readonly limits: ChannelLimits;
  /** Called once, when the channel has closed. */
  readonly onGone: (channel: TlsChannel) => void;
}

// Up to about this size, a copy costs less than a second TLS record.
const JOIN_BYTES_MAX = 16 * 1024;

/** A channel over an authenticated TLS socket. Delivers nothing until its owner has set `onFrame`. */
export class TlsChannel implements Channel {
  readonly peerKey: string;
  readonly ownKey: string;
  readonly remote: Address;
  readonly dialled: boolean;
  bytesSent = 0;
  onDrain: () => void = () => {};
  readonly #socket: TLSSocket;
  readonly #reader: FrameReader;
  readonly #clock: Clock;
  readonly #limits: ChannelLimits;
  readonly #incoming: ProgressWatch;
  readonly #outgoing: ProgressWatch;
  readonly #onGone: (channel: TlsChannel) => void;
  readonly #end = new ChannelEnd();
  #onFrame: ((frame: Uint8Array) => void) | undefined;
  #bytesRead = 0;
  /** In whole frames. */
  #bytesDelivered = 0;

  constructor(deps: TlsChannelDeps) {
    this.peerKey = deps.peerKey;
    this.ownKey = deps.ownKey;
    this.remote = deps.remote;
    this.dialled = deps.dialled;
    this.#socket = deps.socket;
    this.#reader = deps.reader;
    this.#reader.frameBytesMax = deps.limits.frameBytesMax;
    this.#clock = deps.clock;
    this.#limits = deps.limits;
    this.#onGone = deps.onGone;
    const watched = { clock: deps.clock, bytesPerSecondMin: deps.limits.channelBytesPerSecondMin };
    const tooSlow = (): void => this.#abort('slow');
    this.#incoming = new ProgressWatch({
      ...watched,
      isUnderWay: () => this.#reader.isWithinFrame,
      bytesDone: () => this.#bytesRead,
      tooSlow,
    });
    this.#outgoing = new ProgressWatch({
      ...watched,
      isUnderWay: () => this.#socket.writableLength > 0,
      bytesDone: () => this.bytesSent - this.#socket.writableLength,
      tooSlow,
    });
    this.#socket
      .on('data', (bytes) => this.#read(bytes))
      .on('drain', () => this.#drained())
      .on('end', () => this.close('ended'))
      .on('error', (error: NodeJS.ErrnoException) => this.#abort(`failed: ${error.code ?? error.message}`))
      .on('close', () => this.#abort('ended'));
    if (this.#socket.destroyed) this.#abort('ended');
  }

  get isClosed(): boolean {
    return this.#end.isReached;
  }

  get bytesReceived(): number {
    return this.#bytesDelivered + this.#reader.bytesUnderWay;
  }

  get onFrame(): (frame: Uint8Array) => void {
    return this.#onFrame ?? (() => {});
  }

  set onFrame(deliver: (frame: Uint8Array) => void) {
    const isFirst = this.#onFrame === undefined;
    this.#onFrame = deliver;
    if (isFirst) queueMicrotask(() => this.#start());
  }

  get onClose(): (reason: string) => void {
    return this.#end.listener;
  }

  set onClose(listener: (reason: string) => void) {
    this.#end.listener = listener;
  }

  send(frame: Uint8Array): boolean {
    if (this.#end.isReached) return false;
    if (this.#socket.writableLength > this.#limits.channelBufferBytesMax) {
      this.#abort('slow');
      return false;
    }
    const isFirst = this.#socket.writableLength === 0;
    this.#write(frameHeader(frame.length), frame);
    this.bytesSent += FRAME_HEADER_BYTES + frame.length;
    this.#outgoing.begin(isFirst);
    return this.#socket.writableLength < this.#limits.channelHighWaterBytes;
  }

  close(reason = 'closed'): void {
    if (!this.#markClosed(reason)) return;
    const cancel = this.#clock.setTimer(TIMES.channelCloseMsMax, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
    this.#socket.resume();
    this.#socket.end();
  }

  /** Closes immediately, without sending what is still buffered. */
  #abort(reason: string): void {
    this.#markClosed(reason);
    this.#socket.destroy();
  }

  #markClosed(reason: string): boolean {
    if (!this.#end.reach(reason)) return false;
    this.#incoming.stop();
    this.#outgoing.stop();
    this.#onGone(this);
    return true;
  }

  #start(): void {
    if (this.#end.isReached) return;
    this.#deliver();
    this.#socket.resume();
  }

  #read(bytes: Uint8Array): void {
    if (this.#end.isReached) return;
    this.#bytesRead += bytes.length;
    this.#reader.push(bytes);
    this.#deliver();
  }

  #deliver(): void {
    const begunBefore = this.#reader.framesBegun;
    for (let frame = this.#nextFrame(); frame !== undefined; frame = this.#nextFrame()) {
      this.#bytesDelivered += FRAME_HEADER_BYTES + frame.length;
      this.#onFrame?.(frame);
    }
    const isUnderWay = !this.#end.isReached && this.#reader.isWithinFrame;
    if (isUnderWay) this.#incoming.begin(this.#reader.framesBegun !== begunBefore);
  }

  #nextFrame(): Uint8Array | undefined {
    if (this.#end.isReached) return undefined;
    try {
      return this.#reader.next();
    } catch (error) {
      this.#abort(isEntglDbError(error, 'MESSAGE_TOO_LARGE') ? FRAME_TOO_LARGE : 'frame invalid');
      return undefined;
    }
  }

  #write(header: Uint8Array, frame: Uint8Array): void {
    if (frame.length <= JOIN_BYTES_MAX) {
      this.#socket.write(Buffer.concat([header, frame]));
      return;
    }
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(frame);
    this.#socket.uncork();
  }

  #drained(): void {
    if (!this.#end.isReached) this.onDrain();
  }
}
