import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { messageFromWire } from './decode-message.ts';
import { ReplicaNumbers, ReplicaTable } from './dictionary.ts';
import { messageToWire, type NumberOf } from './encode-message.ts';
import { invalidMessage, messageTooLarge } from './invalid-message.ts';
import type { Message, VersionsMessage } from './message.ts';
import { packFrame, unpackFrame } from './packing.ts';
import { findVersions, VersionsReader } from './read-versions.ts';
import { scanFrame } from './scan-frame.ts';
import { type Frame, FrameSchema } from './wire_pb.ts';
import { WIRE_LIMITS, type WireLimits } from './wire-limits.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';
import { writeVersions } from './write-versions.ts';

/** The capability in `Hello` that says: I can read frames packed with zstd. */
export const ZSTD_CAPABILITY = 'zstd';

type OtherMessage = Exclude<Message, VersionsMessage>;

/** Bytes left free in front of versions: the packing byte, and the head of a frame that introduces two replicas. */
const HEAD_ROOM = 48;

/** Makes the frames of one direction of one session. It remembers which replica ids the peer already knows. */
export interface MessageEncoder {
  /**
   * The frame for a message. Send every frame, in this order, because later frames build on it. Throws SyncError
   * MESSAGE_TOO_LARGE if the message exceeds a bound of the wire format, and MESSAGE_INVALID for text that is not valid
   * Unicode. After either, the encoder can be used as if the message had never been passed.
   */
  encode(message: Message): Uint8Array;
  /** Large messages are compressed from now on. Call it when the peer's `Hello` names `ZSTD_CAPABILITY`. */
  allowZstd(): void;
}

export interface EncoderOptions {
  /** Whether the peer is already known to read zstd. `Hello` itself is never compressed. */
  readonly zstd: boolean;
  readonly limits?: WireLimits;
}

/** Reads the frames of one direction of one session. Do not use it after it has thrown. */
export interface MessageDecoder {
  /**
   * The message of a frame, fully checked: the result fits its type. Undefined for a kind that this release does not know.
   * Whatever the bytes are, it throws nothing but SyncError MESSAGE_INVALID, inflates to at most `frameBytesMax` bytes, and
   * makes at most `messageEntriesMax` entries.
   */
  decode(frame: Uint8Array): Message | undefined;
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
      const frame = message.kind === 'versions' ? this.#versionsFrame(message) : this.#frame(message);
      const bytes = frame.length - 1;
      const bytesMax = this.#limits.frameBytesMax - 1;
      if (bytes > bytesMax) throw messageTooLarge(message.kind, `it has ${bytes} of at most ${bytesMax} bytes`);
      const compress = this.#zstd && message.kind !== 'hello' && bytes >= this.#limits.compressBytesMin;
      const packed = packFrame(frame, compress);
      this.#numbers.accept();
      return packed;
    } finally {
      this.#numbers.discard();
    }
  }

  /** `packFrame` sets the first byte of what `#frame` and `#versionsFrame` make. */
  #frame(message: OtherMessage): Uint8Array {
    const wire = this.#numbered((numberOf) => messageToWire(message, numberOf)) ?? this.#tooManyReplicas(message);
    const { startsAgain: resetReplicas, fresh: newReplicas } = this.#numbers;
    const bytes = toBinary(FrameSchema, create(FrameSchema, { resetReplicas, newReplicas, message: wire }));
    // An entry has at least two bytes, so only a large message can have too many.
    if (bytes.length > 2 * this.#limits.messageEntriesMax) this.#requireReadable(message, bytes);
    const frame = new Uint8Array(bytes.length + 1);
    frame.set(bytes, 1);
    return frame;
  }

  #versionsFrame(message: VersionsMessage): Uint8Array {
    const write = (numberOf: NumberOf): Buffer => writeVersions(message, HEAD_ROOM, numberOf, this.#limits);
    const versions = this.#numbered(write) ?? this.#tooManyReplicas(message);
    return withHead(versions, this.#numbers);
  }

  #requireReadable(message: Message, bytes: Uint8Array): void {
    try {
      scanFrame(bytes, this.#limits);
    } catch {
      // Too many entries is the only rule that the encoder can break; tests prove that.
      throw messageTooLarge(message.kind, `it has more than ${this.#limits.messageEntriesMax} entries`);
    }
  }

  /** Runs `make` with replica numbers, a second time with an empty dictionary if it filled up; undefined if that fills up too. */
  #numbered<Made>(make: (numberOf: NumberOf) => Made): Made | undefined {
    for (let tries = 0; tries < 2; tries++) {
      let isFull = false;
      const made = make((replica) => {
        const number = this.#numbers.numberOf(replica);
        isFull ||= number === 0;
        return number;
      });
      if (!isFull) return made;
      if (tries === 0) this.#numbers.startAgain();
    }
    return undefined;
  }

  #tooManyReplicas({ kind }: Message): never {
    throw messageTooLarge(kind, `it names more than ${this.#limits.dictionaryReplicasMax} replicas`);
  }
}

/** Puts the head of the frame before the content of `Versions`, in place if there is room. */
function withHead(versions: Buffer, { startsAgain, fresh }: ReplicaNumbers): Uint8Array {
  const head = new WireWriter(1, fresh.length);
  if (startsAgain) head.number(0x08, 1);
  if (fresh.length > 0) head.data(0x12, fresh);
  head.number(0x1a, versions.length - HEAD_ROOM);
  const { bytes } = head;
  if (bytes.length > HEAD_ROOM) return Buffer.concat([bytes, versions.subarray(HEAD_ROOM)]);
  versions.set(bytes, HEAD_ROOM - bytes.length);
  return versions.subarray(HEAD_ROOM - bytes.length);
}

class FrameDecoder implements MessageDecoder {
  readonly #limits: WireLimits;
  readonly #table: ReplicaTable;

  constructor(limits: WireLimits) {
    this.#limits = limits;
    this.#table = new ReplicaTable(limits.dictionaryReplicasMax);
  }

  decode(packed: Uint8Array): Message | undefined {
    const bytes = unpackFrame(packed, this.#limits.frameBytesMax);
    return this.#versionsOf(bytes) ?? this.#otherOf(bytes);
  }

  /** Undefined if the frame holds another message, or none. */
  #versionsOf(bytes: Uint8Array): VersionsMessage | undefined {
    const reader = new WireReader(bytes, this.#limits);
    const found = findVersions(reader, bytes.length);
    if (found === undefined) return undefined;
    this.#table.learn(found.newReplicas, found.resetReplicas);
    reader.skipTo(found.from);
    return new VersionsReader(reader, this.#table, this.#limits).message(found.end);
  }

  #otherOf(bytes: Uint8Array): Message | undefined {
    scanFrame(bytes, this.#limits);
    const frame = parseFrame(bytes);
    if (frame.message.case === 'versions') throw invalidMessage('frame', 'holds versions where there can be none');
    this.#table.learn(frame.newReplicas, frame.resetReplicas);
    return messageFromWire(frame.message, this.#table);
  }
}

function parseFrame(bytes: Uint8Array): Frame {
  try {
    return fromBinary(FrameSchema, bytes, { readUnknownFields: false });
  } catch (error) {
    throw invalidMessage('frame', 'is no protobuf of this protocol', error);
  }
}
