import { isUtf8 } from 'node:buffer';
import { invalidMessage } from './invalid-message.ts';
import type { WireLimits } from './wire-limits.ts';

export const VARINT = 0;
const BIT64 = 1;
export const LENGTH_DELIMITED = 2;
const BIT32 = 5;
const VARINT_BYTES_MAX = 10;

/** What a Buffer decodes invalid UTF-8 to. */
const REPLACEMENT = '\u{fffd}';

/**
 * Reads protobuf by hand, within bounds: it counts fields and entries, and refuses groups and anything that reaches beyond its
 * parent. Throws MESSAGE_INVALID. It reads `Versions`, and walks over every other frame before the generated decoder reads
 * that (`scanFrame`).
 */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #limits: WireLimits;
  #at = 0;
  #fields = 0;
  #entries = 0;

  constructor(bytes: Uint8Array, limits: WireLimits) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
  }

  get at(): number {
    return this.#at;
  }

  /** The tag of the next field of a message that ends at `end`; 0 if there is none and the last field ended exactly there. */
  tag(end: number): number {
    if (this.#at >= end) {
      if (this.#at > end) throw this.invalid('ends within a field');
      return 0;
    }
    if (++this.#fields > this.#limits.messageFieldsMax) throw this.#tooMany('fields', this.#limits.messageFieldsMax);
    const tag = this.number();
    if (tag < 8) throw this.invalid('has a field without a number');
    return tag;
  }

  /** Exact below 2^53; a larger number is rounded, but never to below 2^53. Bytes beyond the end read as zeros. */
  number(): number {
    const first = this.#bytes[this.#at++] ?? 0;
    return first < 0x80 ? first : this.#longNumber(first);
  }

  /** Where the content of the field that begins here ends. It must lie inside its parent, which ends at `end`. */
  inside(end: number): number {
    const length = this.number();
    if (length > end - this.#at) throw this.invalid('ends within a field');
    return this.#at + length;
  }

  /** The same for a field that counts as an entry. */
  entry(end: number): number {
    if (++this.#entries > this.#limits.messageEntriesMax)
      throw this.#tooMany('entries', this.#limits.messageEntriesMax);
    return this.inside(end);
  }

  /** The bytes of a field, in place. */
  data(end: number): Uint8Array {
    const to = this.inside(end);
    const data = this.#bytes.subarray(this.#at, to);
    this.#at = to;
    return data;
  }

  text(end: number, where: string): string {
    const to = this.inside(end);
    const text = this.#bytes.toString('utf8', this.#at, to);
    if (text.includes(REPLACEMENT)) this.#requireUtf8(to, where);
    this.#at = to;
    return text;
  }

  skipTo(end: number): void {
    this.#at = end;
  }

  /** Skips a field that this release does not know: its number must be above `known`. */
  skip(tag: number, known: number, end: number): void {
    if (tag < 8 * (known + 1)) throw this.invalid('has a field of another type');
    const wireType = tag % 8;
    if (wireType === VARINT) this.number();
    else if (wireType === BIT64) this.#at += 8;
    else if (wireType === BIT32) this.#at += 4;
    else if (wireType === LENGTH_DELIMITED) this.#at = this.inside(end);
    else throw this.invalid('has a group');
  }

  /** The replacement character may also be in the text itself. */
  #requireUtf8(to: number, where: string): void {
    if (!isUtf8(this.#bytes.subarray(this.#at, to))) throw invalidMessage(where, 'is no UTF-8');
  }

  #longNumber(first: number): number {
    let value = first & 0x7f;
    for (let scale = 128, i = 1; i < VARINT_BYTES_MAX; i++, scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.invalid('has an integer without an end');
  }

  #tooMany(what: string, max: number): Error {
    return invalidMessage('frame', `has more than ${max} ${what}`);
  }

  /** MESSAGE_INVALID, with about where. */
  invalid(what: string): Error {
    return invalidMessage('frame', `${what}, near byte ${this.#at}`);
  }
}
