import type { Hlc } from '../clock/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../ids/index.ts';
import {
  compareVersions,
  type Dot,
  EMPTY_CONTEXT,
  type FieldStamp,
  FORMAT_JSON,
  isSameDot,
  joinLines,
  type Knowledge,
  knows,
  type Line,
  replaces,
  sealVersion,
  type Version,
} from '../version/index.ts';

/** A document: the set of its causally maximal versions. Usually one; several after concurrent writes. */
export interface DocumentState {
  /** At least one, sorted by `compareVersions`. */
  readonly versions: readonly Version[];
  /** Seq at which this replica's own line of the document began, or 0. Valid only under the replica id `lineReplica`. */
  readonly lineFirst: number;
  readonly lineReplica: ReplicaId | null;
}

/** The name and time of one write. */
export interface WriteStamp {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly hlc: Hlc;
}

/** R1: a local write replaces every version that this node holds of the document. A `value` of null deletes. */
export function writeDocument(
  collection: CollectionName,
  key: DocumentKey,
  before: DocumentState | undefined,
  stamp: WriteStamp,
  value: string | null,
  stamps: readonly FieldStamp[] | null,
): DocumentState {
  const lineFirst =
    before && before.lineReplica === stamp.replica && before.lineFirst > 0 ? before.lineFirst : stamp.seq;
  const context = before === undefined ? EMPTY_CONTEXT : contextOf(before.versions);
  const version = sealVersion(collection, key, {
    ...stamp,
    first: lineFirst,
    context,
    value,
    stamps,
    format: FORMAT_JSON,
  });
  return { versions: [version], lineFirst, lineReplica: stamp.replica };
}

/** R2: whether this document holds the version, or one that replaced it. */
export function hasSeen(document: DocumentState | undefined, dot: Dot): boolean {
  return document?.versions.some((v) => isSameDot(v, dot) || replaces(v, dot)) ?? false;
}

/** R2: the document after taking in a remote version; undefined if that brings nothing new. Idempotent, order-free. */
export function applyVersion(
  before: DocumentState | undefined,
  version: Version,
  knowledge: Knowledge,
): DocumentState | undefined {
  if (hasSeen(before, version)) return undefined;
  if (knows(knowledge, version.replica, version.seq)) return undefined;
  if (before === undefined) return { versions: [version], lineFirst: 0, lineReplica: null };
  const versions = [...before.versions.filter((v) => !replaces(version, v)), version].sort(compareVersions);
  return { versions, lineFirst: before.lineFirst, lineReplica: before.lineReplica };
}

/** R5: the document without some of its versions; undefined if none is left. The rest forgets this replica's line. */
export function dropVersions(
  before: DocumentState,
  isDropped: (version: Version) => boolean,
): DocumentState | undefined {
  const versions = before.versions.filter((v) => !isDropped(v));
  if (versions.length === before.versions.length) return before;
  return versions.length === 0 ? undefined : { versions, lineFirst: 0, lineReplica: null };
}

/** The context of a write that sees all these versions: their lines, and the lines that they replaced. */
function contextOf(versions: readonly Version[]): readonly Line[] {
  return joinLines(versions.flatMap((v) => [...v.context, { replica: v.replica, first: v.first, last: v.seq }]));
}

/** The versions that resolve to what readers see (R3): no tombstones, and only formats that this release can read. */
export function visibleVersions(document: DocumentState): readonly Version[] {
  return document.versions.filter((v) => v.value !== null && v.format === FORMAT_JSON);
}

/** Whether every version is a tombstone: the document does not exist and can be purged later (R7). */
export function isDead(document: DocumentState): boolean {
  return document.versions.every((v) => v.value === null);
}
