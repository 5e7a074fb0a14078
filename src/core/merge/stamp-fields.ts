import { LIMITS } from '../config/index.ts';
import { pointerToken } from '../document/index.ts';
import { compareBytes } from '../ids/index.ts';
import { canonicalJson, type JsonValue } from '../query/index.ts';
import { dotText, type FieldStamp, isSameDot, type Version } from '../version/index.ts';
import { type ContainerKind, isContainer, isItems, kindOf, membersOf } from './field-kind.ts';
import { type Field, fieldsOf, resolveFields, type Setter } from './resolve-fields.ts';

/**
 * The stamps of a write that saw these versions: fields that it left as they were keep their setter, all others are set by
 * it. A stamp speaks for all below its path without a nearer one, so that a few suffice: most often one at the root for
 * whoever set most fields, and one for each field that somebody else set, the writer's own dot included. Sorted by path.
 *
 * Null when the write set everything, or when there would be more than fieldStampsMax: then it counts as its setter, and
 * concurrent writes to this document are decided as a whole rather than by field where it is involved.
 */
export function stampFields(seen: readonly Version[], value: string, writer: Setter): readonly FieldStamp[] | null {
  const own: Setter = { replica: writer.replica, seq: writer.seq, hlc: writer.hlc };
  const written = setBy(seen.length === 1 ? fieldsOf(seen[0]!) : resolveFields(seen), JSON.parse(value), own);
  const stamps: FieldStamp[] = [];
  collectStamps({ ...written, setter: commonSetter(written, own) }, '', own, stamps);
  if (stamps.length === 0 || stamps.length > LIMITS.fieldStampsMax) return null;
  return stamps.sort((a, b) => compareBytes(a.path, b.path));
}

/** Setters of a value that is to be written; without members, all of it has the one setter. */
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

/** The kind by which a write is compared with what was there; undefined when it is one register, or changed its kind. */
function containerKind(before: Field, value: JsonValue): ContainerKind | undefined {
  const kind = kindOf(value);
  if (isContainer(kind)) {
    const wasEmpty = before.kind === 'empty array' && isItems(kind);
    return before.kind === kind || wasEmpty ? kind : undefined;
  }
  return kind === 'empty array' && isItems(before.kind) ? before.kind : undefined;
}

/** The root is an object always, so its setter decides nothing and may be the one that saves most stamps. */
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
