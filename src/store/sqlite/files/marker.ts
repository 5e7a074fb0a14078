import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';
import { OWNER_FILE, syncFolderOf } from './private-files.ts';
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
/** Number of fields by version: version 1 reserved no change positions, and version 2 did not say into which file it was written. */
const FIELDS: Readonly<Record<string, number>> = { '1': 4, '2': 5, '3': 6 };
/** Index of the field that says into which file the marker was written. */
const PLACE_AT = 5;
/** Birth of a file that nobody tells. */
const UNKNOWN = '0';

/** Where the marker of the database at this path lies. */
export function markerPathOf(path: string): string {
  return `${path}.marker`;
}

/** Undefined if there is none, or none that can be trusted. */
export function readMarker(path: string): Marker | undefined {
  const [replica, generation, state, reservedSeq, reservedPos = '0'] = readFields(path);
  if (state !== 'opening' && state !== 'open') return undefined;
  return {
    replica: parseReplicaId(replica) ?? null,
    generation: Number(generation),
    state,
    reservedSeq: Number(reservedSeq),
    reservedPos: Number(reservedPos),
  };
}

/**
 * Whether the marker is in another file than it was written into: it was copied here, or an earlier one was laid over it, perhaps with
 * the whole folder. False if there is none, or one of an earlier release.
 */
export function isCopiedMarker(path: string): boolean {
  const place = readFields(path)[PLACE_AT];
  if (place === undefined) return false;
  const [inode, birth] = place.split('.');
  const [inodeNow, birthNow] = placeOf(path, statSync(path, { bigint: true }));
  return inode !== inodeNow || (birth !== birthNow && birth !== UNKNOWN && birthNow !== UNKNOWN);
}

/** Writes into the file that is there, or makes one. Durable on return. */
export function writeMarker(path: string, marker: Marker): void {
  const { replica, generation, state, reservedSeq, reservedPos } = marker;
  const isNew = !existsSync(path);
  const file = openSync(path, isNew ? 'w' : 'r+', OWNER_FILE);
  try {
    const place = placeOf(path, fstatSync(file, { bigint: true })).join('.');
    const text = `${replica ?? '-'} ${generation} ${state} ${reservedSeq} ${reservedPos} ${place}`;
    const line = `entgldb-marker 3 ${text} ${textSum(text)}`;
    writeSync(file, `${line.padEnd(MARKER_BYTES - 1)}\n`, 0);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  if (isNew) syncFolderOf(path);
}

/**
 * The same into a new file that takes the place of the one that is there, so that copies of that one are told from now on. If the disk
 * refuses the new file, the one that is there is written.
 */
export function renewMarker(path: string, marker: Marker): void {
  // Windows may give the new file the birth of the one whose name it takes.
  if (!takesPlace(path, marker) || isCopiedMarker(path)) writeMarker(path, marker);
}

function takesPlace(path: string, marker: Marker): boolean {
  const draft = `${path}.new`;
  try {
    removeDraft(draft);
    const { uid, gid, mode } = statSync(path);
    // With its other sectors.
    writeFileSync(draft, readFileSync(path), { mode: OWNER_FILE });
    // A command that an administrator runs must not take the file away from the node.
    chownSync(draft, uid, gid);
    chmodSync(draft, mode);
    writeMarker(draft, marker);
    renameSync(draft, path);
    syncFolderOf(path);
    return true;
  } catch {
    removeDraft(draft);
    return false;
  }
}

function removeDraft(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // It is no file, or its name is too long; then there is no draft.
  }
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

/** The fields of the marker in their order; none if it is missing or cannot be trusted. */
function readFields(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  const [name, version = '', ...fields] = readFileSync(path).toString('utf8', 0, MARKER_BYTES).trim().split(' ');
  const sum = fields.pop();
  const isWhole = name === 'entgldb-marker' && fields.length === FIELDS[version] && sum === textSum(fields.join(' '));
  return isWhole ? fields : [];
}

/**
 * Inode and birth of a file: inodes are used again, and a birth can be shared. Neither changes with owner, mode, links or the names of
 * folders. Where births are not told, some systems tell the last change instead, for the folder too.
 */
function placeOf(path: string, { ino, birthtimeMs }: BigIntStats): readonly [inode: string, birth: string] {
  const folder = statSync(dirname(path), { bigint: true });
  return [String(ino), folder.birthtimeNs === folder.ctimeNs ? UNKNOWN : String(birthtimeMs)];
}
