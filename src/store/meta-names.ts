import type { CollectionName } from '../core/ids/index.ts';

/**
 * Names of all metadata entries of the layers above the store, in one list, so that no name is taken twice. What a store keeps
 * for itself has names of its own.
 */
export const META = {
  /** R9: former replica ids of this file, and where their lives ended. */
  formerLives: 'lives',
  /** R9: ends of lives that turned out to have a twin. */
  forkedEnds: 'forked',
  /** R9: ends of the other former lives. */
  plainEnds: 'ended',
  /** R9: points of this life that peers have confirmed. */
  confirmedPoints: 'confirmed',
  lostPositions: 'lost-positions',
  resumePoints: 'resume',
  livedTime: 'lived',
  /** Human name of the node. */
  nodeId: 'node-id',
  /** Why the file took a new identity at open, until a node has told its user. */
  whyCopied: 'copied',
  /** What commands found out about the files, until a node has told its user: a JSON list of texts. */
  notices: 'notices',
} as const;

/** Every name that a draft may write. */
export type MetaName = (typeof META)[keyof typeof META] | CollectionMark;

/** Work on a collection that goes on after a crash: its rows are dropped (R12), or counted because some were damaged (R11). */
type CollectionWork = 'evicting' | 'counting';
type CollectionMark = `${CollectionWork}:${CollectionName}`;

/** Name of the metadata entry that is there while this work is not done. */
export function markOf(work: CollectionWork, collection: CollectionName): CollectionMark {
  return `${work}:${collection}`;
}

/** The collections with the mark of this work. */
export function markedCollections(work: CollectionWork, meta: ReadonlyMap<string, string>): CollectionName[] {
  const start = markOf(work, '' as CollectionName);
  return [...meta.keys()]
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length) as CollectionName);
}
