import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { invalidMessage } from './invalid-message.ts';
import { FrameSchema } from './wire_pb.ts';
import type { WireLimits } from './wire-limits.ts';

const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;
const BIT32 = 5;
const VARINT_BYTES_MAX = 10;

/** What the schema says of a message: its fields by number. */
type Shape = ReadonlyMap<number, FieldShape>;

interface FieldShape {
  readonly wireType: number;
  /** One of many: counts as an entry. */
  readonly isEntry: boolean;
  /** Null for what has no fields inside. */
  readonly inside: Shape | null;
}

const FRAME_SHAPE = shapeOf(FrameSchema);

/**
 * Walks over the fields of a frame before anything is made of them. Two bytes of protobuf can ask for a whole object, or
 * overwrite one field for ever: 16 MiB of that would hold the event loop for a second and take a gigabyte. The walk
 * makes nothing, stops at the bounds, and lets pass only what the generated decoder reads in the same way: known fields
 * with their own wire type, everything inside its parent, no groups. The schema is not recursive, so the walk goes no
 * deeper than it. Throws MESSAGE_INVALID.
 */
export function scanFrame(bytes: Uint8Array, limits: WireLimits): void {
  new Walk(bytes, limits).message(FRAME_SHAPE, bytes.length, true);
}

function shapeOf(schema: DescMessage): Shape {
  return new Map(schema.fields.map((field) => [field.number, fieldShapeOf(field)]));
}

function fieldShapeOf(field: DescField): FieldShape {
  const isEntry = field.fieldKind === 'list' || field.fieldKind === 'message';
  if (field.message !== undefined) return { wireType: LENGTH_DELIMITED, isEntry, inside: shapeOf(field.message) };
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  return { wireType: isText ? LENGTH_DELIMITED : VARINT, isEntry, inside: null };
}

class Walk {
  readonly #bytes: Uint8Array;
  readonly #limits: WireLimits;
  #at = 0;
  #fields = 0;
  #entries = 0;

  constructor(bytes: Uint8Array, limits: WireLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** Walks over a message that ends at `end`. The frame itself holds one message at most. */
  message(shape: Shape, end: number, isFrame: boolean): void {
    let messages = 0;
    while (this.#at < end) {
      this.#countField();
      const tag = this.#varint();
      if (tag < 8) throw this.#invalid('has a field without a number');
      const field = shape.get(Math.floor(tag / 8));
      if (field !== undefined && field.wireType !== tag % 8) throw this.#invalid('has a field of another type');
      if (field?.isEntry) this.#countEntry();
      if (isFrame && field?.inside && ++messages > 1) throw this.#invalid('holds more than one message');
      this.#value(tag % 8, field?.inside ?? null, end);
      if (this.#at > end) throw this.#invalid('ends within a field');
    }
  }

  #value(wireType: number, inside: Shape | null, end: number): void {
    if (wireType === VARINT) this.#varint();
    else if (wireType === BIT64) this.#at += 8;
    else if (wireType === BIT32) this.#at += 4;
    else if (wireType === LENGTH_DELIMITED) this.#delimited(inside, end);
    else throw this.#invalid('has a group');
  }

  #delimited(inside: Shape | null, end: number): void {
    const length = this.#varint();
    if (length > end - this.#at) throw this.#invalid('ends within a field');
    if (inside === null) this.#at += length;
    else this.message(inside, this.#at + length, false);
  }

  #countField(): void {
    if (++this.#fields > this.#limits.messageFieldsMax) throw this.#tooMany('fields', this.#limits.messageFieldsMax);
  }

  #countEntry(): void {
    if (++this.#entries > this.#limits.messageEntriesMax)
      throw this.#tooMany('entries', this.#limits.messageEntriesMax);
  }

  /** Exact below 2^53, which is all that tags and lengths need. Bytes beyond the end read as zeros. */
  #varint(): number {
    let value = 0;
    for (let scale = 1, i = 0; i < VARINT_BYTES_MAX; i++, scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.#invalid('has an integer without an end');
  }

  #tooMany(what: string, max: number): Error {
    return invalidMessage('frame', `has more than ${max} ${what}`);
  }

  #invalid(what: string): Error {
    return invalidMessage('frame', `${what}, near byte ${this.#at}`);
  }
}
