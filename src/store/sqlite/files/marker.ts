import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';
import { syncFolderOf } from './private-files.ts';
import { textSum } from './text-sum.ts';

/**
 * The content of the marker file beside a database (R9 at open). It is durably written before and after the generation is
 * raised in the database, so that a file and a marker that do not belong together are recognised.
 */
export interface Marker {
  /** Null before the first life has an id. */
  readonly replica: ReplicaId | null;
  readonly generation: number;
  /** `opening`: the database holds this generation or the one before. `open`: it holds this one. */
  readonly state: 'opening' | 'open';
  /** Highest seq that may have been given to a write. */
  readonly reservedSeq: number;
  /** Highest change position that may have been given out. */
  readonly reservedPos: number;
}

/**
 * One line within one disk sector, so that it is written completely or, if its sum does not fit, counts as missing. Later
 * sectors hold the witness of the head (`head-witness.ts`) and the origin (`file-origin.ts`).
 */
const MARKER_BYTES = 256;
/** Version 1 reserved no change positions. */
const VERSIONS: ReadonlySet<string | undefined> = new Set(['1', '2']);

/** Where the marker of the database at this path lies. */
export function markerPathOf(path: string): string {
  return `${path}.marker`;
}

/** Undefined if there is none, or none that can be trusted. */
export function readMarker(path: string): Marker | undefined {
  if (!existsSync(path)) return undefined;
  const [name, version, ...fields] = readFileSync(path).toString('utf8', 0, MARKER_BYTES).trim().split(' ');
  const sum = fields.pop();
  if (name !== 'entgldb-marker' || !VERSIONS.has(version) || sum !== textSum(fields.join(' '))) return undefined;
  const [replica, generation, state, reservedSeq, reservedPos = '0'] = fields;
  if (state !== 'opening' && state !== 'open') return undefined;
  return {
    replica: parseReplicaId(replica) ?? null,
    generation: Number(generation),
    state,
    reservedSeq: Number(reservedSeq),
    reservedPos: Number(reservedPos),
  };
}

/** Durable on return. */
export function writeMarker(path: string, marker: Marker): void {
  const { replica, generation, state, reservedSeq, reservedPos } = marker;
  const text = `${replica ?? '-'} ${generation} ${state} ${reservedSeq} ${reservedPos}`;
  const line = `entgldb-marker 2 ${text} ${textSum(text)}`;
  const isNew = !existsSync(path);
  const file = openSync(path, isNew ? 'w' : 'r+', 0o600);
  try {
    writeSync(file, `${line.padEnd(MARKER_BYTES - 1)}\n`, 0);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  if (isNew) syncFolderOf(path);
}

/** Whether a database with this generation is the one that the marker was written for. */
export function describesGeneration(marker: Marker, generation: number): boolean {
  if (generation === marker.generation) return true;
  return marker.state === 'opening' && generation === marker.generation - 1;
}

/** Whether the database was being made when the marker was written: its tables may not have reached the disk. */
export function isFirstOpening({ state, generation }: Marker): boolean {
  return state === 'opening' && generation === 1;
}
