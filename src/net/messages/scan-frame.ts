import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { FrameSchema } from './wire_pb.ts';
import type { WireLimits } from './wire-limits.ts';
import { LENGTH_DELIMITED, VARINT, WireReader } from './wire-reader.ts';

/** The fields of a message by number, according to the schema. */
type Shape = ReadonlyMap<number, FieldShape>;

interface FieldShape {
  readonly wireType: number;
  /** Lists and messages count as entries. */
  readonly isEntry: boolean;
  /** Null if it has no fields inside. */
  readonly inside: Shape | null;
}

const FRAME_SHAPE = shapeOf(FrameSchema);

/**
 * Walks over the fields of a frame before objects are made from them. Two bytes of protobuf can ask for a whole object, or
 * overwrite one field again and again: 16 MiB of that would block the event loop for a second and take a gigabyte. The walk
 * allocates nothing, stops at the bounds, and accepts only what the generated decoder reads the same way: known fields with
 * their own wire type, everything inside its parent, no groups. The schema is not recursive, which bounds the depth of the
 * walk. Throws MESSAGE_INVALID.
 */
export function scanFrame(bytes: Uint8Array, limits: WireLimits): void {
  walk(new WireReader(bytes, limits), FRAME_SHAPE, bytes.length, true);
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

/** Walks over a message that ends at `end`. The frame itself may hold at most one message. */
function walk(reader: WireReader, shape: Shape, end: number, isFrame: boolean): void {
  let messages = 0;
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    const field = shape.get(Math.floor(tag / 8));
    if (field === undefined) {
      reader.skip(tag, 0, end);
      continue;
    }
    if (field.wireType !== tag % 8) throw reader.invalid('has a field of another type');
    if (field.wireType === VARINT) {
      reader.number();
      continue;
    }
    const to = field.isEntry ? reader.entry(end) : reader.inside(end);
    if (isFrame && field.inside !== null && ++messages > 1) throw reader.invalid('holds more than one message');
    if (field.inside === null) reader.skipTo(to);
    else walk(reader, field.inside, to, false);
  }
}
