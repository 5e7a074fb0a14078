import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Context, Dot } from '../src/core/version/index.ts';

/** One write as it truly happened. Its `id` tells it apart even if two lives used one dot. */
export interface TrueWrite {
  readonly id: number;
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly dot: Dot;
  readonly context: Context;
  readonly isDelete: boolean;
  readonly value: string | null;
  /** What readers at its author saw until then. */
  readonly replaced: string | null;
  /** The node that wrote it, and how many disks that had had before. */
  readonly author: string;
  readonly disk: number;
  /** Shared by the writes of one commit. */
  readonly transaction: number;
  /** Ids of the writes that its author saw directly. */
  readonly parents: readonly number[];
  /** Ids of the writes that replaced it directly. */
  readonly children: number[];
  isAcknowledged: boolean;
  /** The only disks that held it were damaged, wiped or replaced. */
  isLost: boolean;
  /** Its author crashed before it was acknowledged, and then found it on its disk. */
  isKept: boolean;
  /** It was never durable, and a crash took it. */
  isUndone: boolean;
  /** R9 wrote it again under another dot. */
  isRewritten: boolean;
}

/** The address of a document. */
export interface Place {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
}
