import { SyncError } from '../../core/errors/index.ts';

/**
 * Frames on a byte stream: four bytes of length, big-endian, then that many bytes, at least one. Memory grows with the bytes
 * that have arrived, to at most twice as many, never with an announced length.
 */
export const FRAME_HEADER_BYTES = 4;

/** The header of a frame of this many bytes. */
export function frameHeader(frameBytes: number): Uint8Array {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32BE(frameBytes);
  return header;
}

/** Cuts a byte stream into frames: `push` what has arrived, then call `next` until it returns none. */
export class FrameReader {
  /** A longer frame is refused. May be changed between two frames. */
  frameBytesMax: number;
  /** Frames begun so far, to tell whether two moments belong to the same frame. */
  framesBegun = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #header = 0;
  #headerBytes = 0;
  #frame: Uint8Array = new Uint8Array(0);
  #frameBytes = 0;
  /** Length of the frame under way; 0 while its header is incomplete. */
  #frameLength = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** True between the first byte of a frame and its last. */
  get isWithinFrame(): boolean {
    return this.#headerBytes > 0;
  }

  /** Bytes that have been read of the frame under way. */
  get bytesUnderWay(): number {
    return this.#headerBytes + this.#frameBytes;
  }

  /** The reader takes ownership of the bytes. */
  push(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /**
   * The next whole frame, or undefined until more has been pushed. Throws SyncError MESSAGE_TOO_LARGE or MESSAGE_INVALID
   * (empty frame); after that the stream cannot be used.
   */
  next(): Uint8Array | undefined {
    if (!this.#readHeader()) return undefined;
    const missing = this.#frameLength - this.#frameBytes;
    const part = this.#rest.subarray(0, missing);
    this.#rest = this.#rest.subarray(part.length);
    if (part.length === this.#frameLength) return this.#finish(part);
    this.#append(part);
    return part.length === missing ? this.#finish(this.#frame.subarray(0, this.#frameLength)) : undefined;
  }

  #readHeader(): boolean {
    while (this.#headerBytes < FRAME_HEADER_BYTES) {
      const byte = this.#rest[0];
      if (byte === undefined) return false;
      if (this.#headerBytes === 0) this.framesBegun++;
      this.#header = this.#header * 256 + byte;
      this.#headerBytes++;
      this.#rest = this.#rest.subarray(1);
      if (this.#headerBytes === FRAME_HEADER_BYTES) this.#frameLength = this.#checkedLength(this.#header);
    }
    return true;
  }

  #checkedLength(length: number): number {
    if (length === 0) throw new SyncError('MESSAGE_INVALID', 'the peer sent an empty frame; the connection is closed');
    if (length <= this.frameBytesMax) return length;
    throw new SyncError(
      'MESSAGE_TOO_LARGE',
      `the peer announced a frame of ${length} bytes, ${this.frameBytesMax} are allowed; the connection is closed`,
      { details: { frameBytes: length, frameBytesMax: this.frameBytesMax } },
    );
  }

  #append(part: Uint8Array): void {
    const filled = this.#frameBytes + part.length;
    if (filled > this.#frame.length) {
      // Uninitialised memory is safe here: nobody sees the part that is not filled yet.
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#frameLength, 2 * filled));
      grown.set(this.#frame.subarray(0, this.#frameBytes));
      this.#frame = grown;
    }
    this.#frame.set(part, this.#frameBytes);
    this.#frameBytes = filled;
  }

  #finish(frame: Uint8Array): Uint8Array {
    this.#frame = new Uint8Array(0);
    this.#header = 0;
    this.#headerBytes = 0;
    this.#frameBytes = 0;
    this.#frameLength = 0;
    return frame;
  }
}
