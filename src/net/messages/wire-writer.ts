/** Bit operations work on 32 bits, so a number is split into parts of 28 bits: four bytes of a varint. */
const PART = 2 ** 28;
const UTF8_BYTES_PER_UNIT = 3;
/** The most that a field needs besides its text: a tag and an integer. */
const FIELD_BYTES_MAX = 16;

/**
 * Writes protobuf by hand: fields in the order of the calls, into a buffer that grows. A field that holds others is opened
 * with a guess of how many bytes its length will take; if the guess is wrong, its content is moved.
 */
export class WireWriter {
  #bytes: Buffer;
  #at: number;

  /** `room`: bytes left free at the front; `sizeHint`: about how many will follow. */
  constructor(room: number, sizeHint: number) {
    this.#bytes = Buffer.allocUnsafe(room + sizeHint + FIELD_BYTES_MAX);
    this.#at = room;
  }

  /** What was written so far, together with the room in front of it. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** `value` is from 0 to 2^53. Tags are below 128, that is, fields up to number 15. */
  number(tag: number, value: number): void {
    this.#reserve(FIELD_BYTES_MAX);
    this.#bytes[this.#at++] = tag;
    this.#varint(value);
  }

  text(tag: number, text: string): void {
    const bytesMax = UTF8_BYTES_PER_UNIT * text.length;
    if (!this.#has(FIELD_BYTES_MAX + bytesMax)) this.#reserve(FIELD_BYTES_MAX + Buffer.byteLength(text));
    const lengthBytes = lengthBytesOf(bytesMax);
    const inside = this.open(tag, lengthBytes);
    this.#at += this.#bytes.write(text, this.#at);
    this.close(inside, lengthBytes);
  }

  data(tag: number, data: Uint8Array): void {
    this.#reserve(FIELD_BYTES_MAX + data.length);
    this.#bytes[this.#at++] = tag;
    this.#varint(data.length);
    this.#bytes.set(data, this.#at);
    this.#at += data.length;
  }

  /** Begins a field that holds what is written until `close`. Pass the result to `close`. */
  open(tag: number, lengthBytes: number): number {
    this.#reserve(FIELD_BYTES_MAX);
    this.#bytes[this.#at++] = tag;
    this.#at += lengthBytes;
    return this.#at;
  }

  close(inside: number, lengthBytes: number): void {
    const length = this.#at - inside;
    const shift = lengthBytesOf(length) - lengthBytes;
    if (shift !== 0) {
      this.#reserve(FIELD_BYTES_MAX);
      this.#bytes.copyWithin(inside + shift, inside, this.#at);
    }
    this.#at = inside - lengthBytes;
    this.#varint(length);
    this.#at += length;
  }

  #varint(value: number): void {
    let low = value % PART;
    const high = (value - low) / PART;
    if (high > 0) {
      for (let i = 0; i < 4; i++, low >>>= 7) this.#bytes[this.#at++] = low | 0x80;
      low = high;
    }
    for (; low >= 0x80; low >>>= 7) this.#bytes[this.#at++] = low | 0x80;
    this.#bytes[this.#at++] = low;
  }

  #has(bytes: number): boolean {
    return this.#at + bytes <= this.#bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#has(bytes)) return;
    const grown = Buffer.allocUnsafe(2 * this.#bytes.length + bytes);
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

function lengthBytesOf(length: number): number {
  if (length < 2 ** 7) return 1;
  if (length < 2 ** 14) return 2;
  return length < 2 ** 21 ? 3 : 4;
}
