import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { messageFromWire } from './decode-message.ts';
import { ReplicaNumbers, ReplicaTable } from './dictionary.ts';
import { messageToWire, type WireMessage } from './encode-message.ts';
import { invalidMessage, messageTooLarge } from './invalid-message.ts';
import type { Message } from './message.ts';
import { packFrame, unpackFrame } from './packing.ts';
import { scanFrame } from './scan-frame.ts';
import { type Frame, FrameSchema } from './wire_pb.ts';
import { WIRE_LIMITS, type WireLimits } from './wire-limits.ts';

/** The capability in `Hello` that stands for: I can read frames packed with zstd. */
export const ZSTD_CAPABILITY = 'zstd';

/** Makes the frames of one direction of one session. It remembers which replica ids the peer has been told. */
export interface MessageEncoder {
  /**
   * The frame for a message; it must be sent, and in this order, because later frames build on it. Throws SyncError
   * MESSAGE_TOO_LARGE (over a megabyte of anything is, except one large document), after which the next message may follow
   * as if nothing had been.
   */
  encode(message: Message): Uint8Array;
  /** From now on large messages are compressed: the peer's `Hello` named `ZSTD_CAPABILITY`. */
  allowZstd(): void;
}

export interface EncoderOptions {
  /** Whether the peer is already known to read zstd. `Hello` itself is never compressed. */
  readonly zstd: boolean;
  readonly limits?: WireLimits;
}

/** Reads the frames of one direction of one session. After a frame that throws, it is of no more use. */
export interface MessageDecoder {
  /**
   * The message of a frame, all of it checked: what it returns fits its type. Undefined for a kind that this release does
   * not know. Throws SyncError MESSAGE_INVALID, whatever the bytes are; takes at most `frameBytesMax` of memory for
   * inflated bytes, and at most `messageEntriesMax` objects.
   */
  decode(frame: Uint8Array): Message | undefined;
  /** Frames of a kind that this release does not know, so far. */
  readonly unknownCount: number;
}

export function createEncoder(options: EncoderOptions): MessageEncoder {
  return new FrameEncoder(options.zstd, options.limits ?? WIRE_LIMITS);
}

export function createDecoder(limits: WireLimits = WIRE_LIMITS): MessageDecoder {
  return new FrameDecoder(limits);
}

class FrameEncoder implements MessageEncoder {
  readonly #limits: WireLimits;
  readonly #numbers: ReplicaNumbers;
  #zstd: boolean;

  constructor(zstd: boolean, limits: WireLimits) {
    this.#limits = limits;
    this.#numbers = new ReplicaNumbers(limits.dictionaryReplicasMax);
    this.#zstd = zstd;
  }

  allowZstd(): void {
    this.#zstd = true;
  }

  encode(message: Message): Uint8Array {
    try {
      const bytes = this.#toBytes(message);
      const compress = this.#zstd && message.kind !== 'hello' && bytes.length >= this.#limits.compressBytesMin;
      const frame = packFrame(bytes, compress);
      this.#numbers.accept();
      return frame;
    } finally {
      this.#numbers.discard();
    }
  }

  #toBytes(message: Message): Uint8Array {
    const bytes = toBinary(FrameSchema, this.#toFrame(message));
    const bytesMax = this.#limits.frameBytesMax - 1;
    if (bytes.length > bytesMax)
      throw messageTooLarge(message.kind, `it has ${bytes.length} of at most ${bytesMax} bytes`);
    // An entry has at least two bytes: only a large message can have too many.
    if (bytes.length > 2 * this.#limits.messageEntriesMax) this.#requireReadable(message, bytes);
    return bytes;
  }

  #requireReadable(message: Message, bytes: Uint8Array): void {
    try {
      scanFrame(bytes, this.#limits);
    } catch {
      // The encoder makes no other mistakes than too many: the tests hold it to that.
      throw messageTooLarge(message.kind, `it has more than ${this.#limits.messageEntriesMax} entries`);
    }
  }

  #toFrame(message: Message): Frame {
    const wire = this.#numbered(message) ?? this.#numberedAgain(message);
    return create(FrameSchema, {
      resetReplicas: this.#numbers.startsAgain,
      newReplicas: this.#numbers.fresh,
      message: wire,
    });
  }

  #numberedAgain(message: Message): WireMessage {
    this.#numbers.startAgain();
    const wire = this.#numbered(message);
    if (wire !== undefined) return wire;
    throw messageTooLarge(message.kind, `it names more than ${this.#limits.dictionaryReplicasMax} replicas`);
  }

  /** Undefined when the dictionary has no room for all of its replicas. */
  #numbered(message: Message): WireMessage | undefined {
    let isFull = false;
    const wire = messageToWire(
      message,
      (replica) => {
        const number = this.#numbers.numberOf(replica);
        isFull ||= number === 0;
        return number;
      },
      this.#limits,
    );
    return isFull ? undefined : wire;
  }
}

class FrameDecoder implements MessageDecoder {
  readonly #limits: WireLimits;
  readonly #table: ReplicaTable;
  #unknownCount = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
    this.#table = new ReplicaTable(limits.dictionaryReplicasMax);
  }

  get unknownCount(): number {
    return this.#unknownCount;
  }

  decode(packed: Uint8Array): Message | undefined {
    const bytes = unpackFrame(packed, this.#limits.frameBytesMax);
    scanFrame(bytes, this.#limits);
    const frame = parseFrame(bytes);
    this.#table.learn(frame.newReplicas, frame.resetReplicas);
    const message = messageFromWire(frame.message, this.#table, this.#limits);
    if (message === undefined) this.#unknownCount++;
    return message;
  }
}

function parseFrame(bytes: Uint8Array): Frame {
  try {
    return fromBinary(FrameSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    throw invalidMessage('frame', 'is no protobuf of this protocol', error);
  }
}
