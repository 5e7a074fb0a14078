import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import type { Context, Dot } from '../src/core/version/index.ts';

/** One write as the world saw it: the ground truth, told apart even where two lives used one dot. */
export interface TrueWrite {
  readonly id: number;
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  readonly dot: Dot;
  readonly context: Context;
  readonly isDelete: boolean;
  /** Node that wrote it. */
  readonly author: string;
  /** Writes of one commit share it. */
  readonly transaction: number;
  /** Writes that its author could see, directly. */
  readonly parents: readonly number[];
  /** Writes that replaced it, directly. */
  readonly children: number[];
  isAcknowledged: boolean;
  /** The only disks that held it were damaged, wiped or replaced. */
  isLost: boolean;
  /** Its author crashed before it could be acknowledged, and found it on its disk. */
  isKept: boolean;
  /** It was never durable: the crash took it. */
  isUndone: boolean;
  /** R9 wrote it again under another name. */
  isRewritten: boolean;
}

/** Where a document is. */
export interface Place {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
}
