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

/** Dot and stamp of the write that set a field. */
export type Setter = Omit<FieldStamp, 'path'>;

/** A resolved field. */
export interface Field {
  readonly kind: FieldKind;
  readonly value: JsonValue;
  readonly setter: Setter;
  /** Only for containers: their members by name or id. */
  readonly members?: ReadonlyMap<string, Field>;
}

/**
 * Merges versions field by field; the order in which they are given does not matter.
 *
 * 1. A candidate is out if the context of another sibling covers its setter while that sibling has another setter for the
 *    field, or no such field: it was knowingly replaced or removed. So removed fields need no stamps of their own (I2).
 * 2. Of the other candidates the one with the newest setter (stamp, replica, seq) wins. A counter's entries are decided by
 *    their own seq first.
 * 3. Containers of one kind are merged member by member, and exist as long as they or one of their members are not out.
 *    Between a container and something else, the setter of the container itself decides, not those of its members.
 *
 * If all candidates of a field are out, it is gone: whichever had won by its stamp was removed by a third write.
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

/** The fields of a single version, where nothing needs to be decided. */
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
  /** A stamp holds for everything below its path that has no closer stamp. Without any, the version itself is the setter. */
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

/** One entry for each sibling, in the order of `compareVersions`; undefined if that sibling has no such field. */
type Candidates = readonly (Candidate | undefined)[];

class Resolution {
  readonly #siblings: readonly Sibling[];

  constructor(siblings: readonly Sibling[]) {
    this.#siblings = siblings;
  }

  #field(path: string, candidates: Candidates, isEntry: boolean): Field | undefined {
    const present = candidates.filter((candidate) => candidate !== undefined);
    const itemsKind = present.findLast(({ kind }) => isItems(kind))?.kind;
    const kindOfCandidate = ({ kind }: Candidate): FieldKind => (kind === 'empty array' ? (itemsKind ?? kind) : kind);
    const winner = newest(this.#alive(candidates), isEntry);
    if (winner !== undefined) {
      const kind = kindOfCandidate(winner);
      if (!isContainer(kind)) return { kind, value: winner.value, setter: winner.setter };
      return this.#containerOf(kind, path, candidates, kindOfCandidate);
    }
    // All candidates are out, but a member that was set concurrently inside a container keeps the container.
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

  /** Merges candidates of one kind; undefined if neither they nor any of their members are left. */
  container(path: string, candidates: Candidates, kind: ContainerKind): Field | undefined {
    const membersByName = new Map<string, (Candidate | undefined)[]>();
    // First the members of the newest version, in its order; then those that only others have.
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
    const alive = this.#alive(candidates);
    if (members.size === 0 && alive.length === 0) return undefined;
    const present = candidates.filter((candidate) => candidate !== undefined);
    const { setter } = newest(alive.length > 0 ? alive : present, false)!;
    return toContainer(kind, setter, members);
  }

  #alive(candidates: Candidates): readonly Candidate[] {
    return candidates.filter(
      (candidate, i): candidate is Candidate => candidate !== undefined && !this.#isOut(candidates, i),
    );
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

/** An item that exists only because a member inside it was set concurrently keeps its id too. */
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

/** Of equal setters, the last candidate: it belongs to the newest version. */
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
