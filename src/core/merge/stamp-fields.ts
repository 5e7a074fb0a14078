import { LIMITS } from '../config/index.ts';
import { pointerToken } from '../document/index.ts';
import { compareBytes } from '../ids/index.ts';
import { canonicalJson, type JsonValue } from '../query/index.ts';
import { dotText, type FieldStamp, isSameDot, type Version } from '../version/index.ts';
import { type ContainerKind, isContainer, isItems, kindOf, membersOf } from './field-kind.ts';
import { type Field, fieldsOf, resolveFields, type Setter } from './resolve-fields.ts';

/**
 * The stamps of a write that saw these versions. Fields that it left unchanged keep their setter; it sets all others.
 * A stamp holds for everything below its path that has no closer stamp, so a few suffice: usually one at the root for the
 * write that set most fields, and one for each field set by another write, the new one included. Sorted by path.
 *
 * Null if the write set everything, or if there would be more than fieldStampsMax stamps. The write then counts as the
 * setter of all fields, and against concurrent writes it wins or loses as a whole rather than field by field.
 */
export function stampFields(seen: readonly Version[], value: string, writer: Setter): readonly FieldStamp[] | null {
  const own: Setter = { replica: writer.replica, seq: writer.seq, hlc: writer.hlc };
  const written = setBy(seen.length === 1 ? fieldsOf(seen[0]!) : resolveFields(seen), JSON.parse(value), own);
  const stamps: FieldStamp[] = [];
  collectStamps({ ...written, setter: commonSetter(written, own) }, '', own, stamps);
  if (stamps.length === 0 || stamps.length > LIMITS.fieldStampsMax) return null;
  return stamps.sort((a, b) => compareBytes(a.path, b.path));
}

/** The setters within a value that is being written. Without members, the whole value has one setter. */
interface WrittenField {
  readonly setter: Setter;
  readonly members?: ReadonlyMap<string, WrittenField>;
}

function setBy(before: Field | undefined, value: JsonValue, own: Setter): WrittenField {
  if (before === undefined) return { setter: own };
  const kind = containerKind(before, value);
  if (kind === undefined) {
    return { setter: isSameValue(before.value, value) ? before.setter : own };
  }
  const members = new Map<string, WrittenField>();
  for (const [name, member] of membersOf(value, kind)) members.set(name, setBy(before.members?.get(name), member, own));
  return { setter: before.setter, members };
}

function isSameValue(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  return typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b);
}

/** The kind of container as which old and new value are compared; undefined if the new one is a register or of another kind. */
function containerKind(before: Field, value: JsonValue): ContainerKind | undefined {
  const kind = kindOf(value);
  if (isContainer(kind)) {
    const wasEmpty = before.kind === 'empty array' && isItems(kind);
    return before.kind === kind || wasEmpty ? kind : undefined;
  }
  return kind === 'empty array' && isItems(before.kind) ? before.kind : undefined;
}

/** The root is always an object, so its setter decides nothing: take the one that saves most stamps. */
function commonSetter(root: WrittenField, own: Setter): Setter {
  const counts = new Map<string, number>();
  let best = own;
  for (const { setter } of root.members?.values() ?? []) {
    const count = (counts.get(dotText(setter)) ?? 0) + 1;
    counts.set(dotText(setter), count);
    if (count > (counts.get(dotText(best)) ?? 0)) best = setter;
  }
  return best;
}

function collectStamps(field: WrittenField, path: string, above: Setter, stamps: FieldStamp[]): void {
  const { replica, seq, hlc } = field.setter;
  if (!isSameDot(field.setter, above)) stamps.push({ path, replica, seq, hlc });
  for (const [name, member] of field.members ?? []) {
    collectStamps(member, `${path}/${pointerToken(name)}`, field.setter, stamps);
  }
}
