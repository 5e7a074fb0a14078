import { pointerToken } from '../document/index.ts';
import { compareBytes } from '../ids/index.ts';
import type { JsonObject, JsonValue } from '../query/index.ts';
import { compareVersions, contextCovers, type FieldStamp, isSameDot, type Version } from '../version/index.ts';
import { isCounterEntry } from './counter.ts';
import {
  type ContainerKind,
  type FieldKind,
  idNameOf,
  isContainer,
  isItems,
  kindOf,
  membersOf,
  valueOfMembers,
} from './field-kind.ts';

/** The write that set a field: its dot and stamp. */
export type Setter = Omit<FieldStamp, 'path'>;

/** A field as readers see it. */
export interface Field {
  readonly kind: FieldKind;
  readonly value: JsonValue;
  readonly setter: Setter;
  /** By name or id, for containers. */
  readonly members?: ReadonlyMap<string, Field>;
}

/**
 * Joins versions field by field; the order in which they are given does not matter.
 *
 * 1. A field whose setter is covered by the context of another sibling, while that sibling has another setter for it or no
 *    such field, is out: it was replaced or removed knowingly. So no stamped gaps are needed for what was removed (I2).
 * 2. Of the others the newest setter (stamp, replica, seq) decides; a counter's entries are decided by their own seq.
 * 3. Containers of one kind are joined member by member, and are there as long as they, or one of their members, are not
 *    out. Between a container and something else the setter of the container itself decides, not those of its members.
 *
 * When all setters of a field are out, it is gone: what had won over one of them by its stamp was removed by a third write.
 */
export function resolveFields(versions: readonly Version[]): Field {
  const siblings = [...versions].sort(compareVersions).map(toSibling);
  const values = siblings.map(
    (sibling): Candidate => ({ value: sibling.value, kind: 'object', setter: sibling.setterOf('', sibling.own) }),
  );
  return (
    new Resolution(siblings).container('', values, 'object') ?? {
      kind: 'object',
      value: {},
      setter: values.at(-1)!.setter,
      members: new Map(),
    }
  );
}

/** The fields of one version, of which nothing needs to be decided. */
export function fieldsOf(version: Version): Field {
  const { value, own, setterOf } = toSibling(version);
  const read = (value: JsonValue, path: string, setter: Setter): Field => {
    const kind = kindOf(value);
    if (!isContainer(kind)) return { kind, value, setter };
    const members = new Map<string, Field>();
    for (const [name, member] of membersOf(value, kind)) {
      const memberPath = `${path}/${pointerToken(name)}`;
      members.set(name, read(member, memberPath, setterOf(memberPath, setter)));
    }
    return { kind, value, setter, members };
  };
  return read(value, '', setterOf('', own));
}

interface Sibling {
  readonly version: Version;
  readonly own: Setter;
  readonly value: JsonValue;
  /** A stamp speaks for all below its path that has no nearer one; without any, the version itself is the setter. */
  setterOf(path: string, above: Setter): Setter;
}

function toSibling(version: Version): Sibling {
  const stamps = new Map(version.stamps?.map((stamp) => [stamp.path, stamp]));
  const own: Setter = { replica: version.replica, seq: version.seq, hlc: version.hlc };
  return { version, own, value: JSON.parse(version.value!), setterOf: (path, above) => stamps.get(path) ?? above };
}

/** What one sibling has at a path. */
interface Candidate {
  readonly value: JsonValue;
  readonly kind: FieldKind;
  readonly setter: Setter;
}

/** One place for each sibling, in the order of `compareVersions`; undefined where it has no such field. */
type Candidates = readonly (Candidate | undefined)[];

class Resolution {
  readonly #siblings: readonly Sibling[];

  constructor(siblings: readonly Sibling[]) {
    this.#siblings = siblings;
  }

  #field(path: string, candidates: Candidates, isEntry: boolean): Field | undefined {
    const alive = candidates.filter((candidate, i) => candidate !== undefined && !this.#isOut(candidates, i));
    const present = candidates.filter((candidate) => candidate !== undefined);
    const itemsKind = present.findLast(({ kind }) => isItems(kind))?.kind;
    const kindOfCandidate = ({ kind }: Candidate): FieldKind => (kind === 'empty array' ? (itemsKind ?? kind) : kind);
    const winner = newest(alive as Candidate[], isEntry);
    if (winner !== undefined) {
      const kind = kindOfCandidate(winner);
      if (!isContainer(kind)) return { kind, value: winner.value, setter: winner.setter };
      return this.#containerOf(kind, path, candidates, kindOfCandidate);
    }
    // All are out here, but what was set meanwhile inside a container keeps it.
    const kinds = new Set([...present].sort((a, b) => compareSetters(b.setter, a.setter)).map(kindOfCandidate));
    for (const kind of kinds) {
      const kept = isContainer(kind) ? this.#containerOf(kind, path, candidates, kindOfCandidate) : undefined;
      if (kept !== undefined) return kept;
    }
    return undefined;
  }

  #containerOf(
    kind: ContainerKind,
    path: string,
    candidates: Candidates,
    kindOfCandidate: (candidate: Candidate) => FieldKind,
  ): Field | undefined {
    const sameKind = candidates.map((candidate) =>
      candidate !== undefined && kindOfCandidate(candidate) === kind ? candidate : undefined,
    );
    return this.container(path, sameKind, kind);
  }

  /** Joins candidates of one kind; undefined when neither they nor any of their members are left. */
  container(path: string, candidates: Candidates, kind: ContainerKind): Field | undefined {
    const membersByName = new Map<string, (Candidate | undefined)[]>();
    // The newest version's order comes first, then what only the others have.
    for (let i = candidates.length - 1; i >= 0; i--) {
      const candidate = candidates[i];
      if (candidate === undefined) continue;
      for (const [name, value] of membersOf(candidate.value, kind)) {
        const setter = this.#siblings[i]!.setterOf(`${path}/${pointerToken(name)}`, candidate.setter);
        const members = membersByName.get(name) ?? new Array<undefined>(candidates.length).fill(undefined);
        members[i] = { value, kind: kindOf(value), setter };
        membersByName.set(name, members);
      }
    }
    const isCounter = path.endsWith('/$counter');
    const members = new Map<string, Field>();
    for (const [name, places] of membersByName) {
      const member = this.#field(`${path}/${pointerToken(name)}`, places, isCounter);
      if (member !== undefined) members.set(name, isItems(kind) ? withId(member, idNameOf(kind), places) : member);
    }
    const alive = candidates.filter(
      (candidate, i) => candidate !== undefined && !this.#isOut(candidates, i),
    ) as Candidate[];
    if (members.size === 0 && alive.length === 0) return undefined;
    const setter = (newest(alive, false) ??
      newest(
        candidates.filter((candidate) => candidate !== undefined),
        false,
      ))!.setter;
    return toContainer(kind, setter, members);
  }

  /** Rule 1. */
  #isOut(candidates: Candidates, at: number): boolean {
    const { setter } = candidates[at]!;
    return this.#siblings.some((sibling, i) => {
      if (i === at || !contextCovers(sibling.version.context, setter.replica, setter.seq)) return false;
      const theirs = candidates[i];
      return theirs === undefined || !isSameDot(theirs.setter, setter);
    });
  }
}

/** An item that is kept for what was set inside it keeps its id too. */
function withId(item: Field, idName: string, candidates: Candidates): Field {
  if (item.members === undefined || item.members.has(idName)) return item;
  const value = (candidates.findLast((candidate) => candidate !== undefined)!.value as JsonObject)[idName]!;
  const id: Field = { kind: 'register', value, setter: item.setter };
  return toContainer('object', item.setter, new Map([[idName, id], ...item.members]));
}

function toContainer(kind: ContainerKind, setter: Setter, members: ReadonlyMap<string, Field>): Field {
  const values = Array.from(members, ([name, member]) => [name, member.value] as const);
  return { kind, value: valueOfMembers(kind, values), setter, members };
}

/** Of equal setters the later candidate, which is that of the newer version. */
function newest(candidates: readonly Candidate[], isEntry: boolean): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (best === undefined || compareCandidates(candidate, best, isEntry) >= 0) best = candidate;
  }
  return best;
}

function compareCandidates(a: Candidate, b: Candidate, isEntry: boolean): number {
  if (isEntry && isCounterEntry(a.value) && isCounterEntry(b.value) && a.value[0] !== b.value[0])
    return a.value[0] - b.value[0];
  return compareSetters(a.setter, b.setter);
}

function compareSetters(a: Setter, b: Setter): number {
  return a.hlc - b.hlc || compareBytes(a.replica, b.replica) || a.seq - b.seq;
}
