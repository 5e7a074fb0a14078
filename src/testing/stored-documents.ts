import { HLC_ZERO, type Hlc } from '../core/clock/index.ts';
import { parseCollectionName, parseDocumentKey, parseReplicaId, type ReplicaId } from '../core/ids/index.ts';
import {
  type Check,
  compareVersions,
  FORMAT_JSON,
  parseCheck,
  sealVersion,
  type Version,
  type VersionBody,
} from '../core/version/index.ts';
import type { Head, StoredDocument } from '../store/index.ts';

/** A version with plain defaults: seq 1, a line of its own, no context, stamp 1,000 × seq. */
export function sampleVersion(collection: string, key: string, body: Partial<VersionBody> = {}): Version {
  const seq = body.seq ?? 1;
  return sealVersion(parseCollectionName(collection), parseDocumentKey(key), {
    replica: sampleReplica(1),
    seq,
    first: seq,
    hlc: (seq * 1000) as Hlc,
    context: [],
    value: `{"n":${seq}}`,
    stamps: null,
    format: FORMAT_JSON,
    ...body,
  });
}

export interface SampleDocument {
  readonly collection?: string;
  readonly key: string;
  readonly pos: number;
  /** Default: one version with seq = pos. */
  readonly versions?: readonly Partial<VersionBody>[];
  /** What readers see. Default: the value of the newest version. */
  readonly value?: string | null;
  /** Default: null, or `pos` if readers see nothing. */
  readonly deadAt?: number | null;
  readonly lineFirst?: number;
  readonly lineReplica?: ReplicaId | null;
}

/** A stored document, sealed and sorted as the engine would store it. */
export function sampleDocument(sample: SampleDocument): StoredDocument {
  const { collection = 'c', key, pos } = sample;
  const bodies = sample.versions ?? [{ seq: pos }];
  const versions = bodies.map((body) => sampleVersion(collection, key, body)).sort(compareVersions);
  const value = sample.value === undefined ? versions.at(-1)!.value : sample.value;
  return {
    collection: parseCollectionName(collection),
    key: parseDocumentKey(key),
    pos,
    deadAt: sample.deadAt === undefined ? (value === null ? pos : null) : sample.deadAt,
    value,
    versions,
    lineFirst: sample.lineFirst ?? 0,
    lineReplica: sample.lineReplica ?? null,
  };
}

/** The id of replica number `n`: always the same, and ids sort like their numbers. */
export function sampleReplica(n: number): ReplicaId {
  return parseReplicaId(n.toString(16).padStart(32, '0'))!;
}

/** A check made from a number: the same number gives the same check. */
export function sampleCheck(n: number): Check {
  return parseCheck(n.toString(16).padStart(16, '0'))!;
}

/** A head of the first sample replica that has written nothing, with the given changes. */
export function sampleHead(head: Partial<Head> = {}): Head {
  return { replica: sampleReplica(1), seq: 0, check: sampleCheck(0), hlc: HLC_ZERO, pos: 0, ...head };
}
