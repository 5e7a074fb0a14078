import { parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';
import { type Check, parseCheck } from '../../../core/version/index.ts';
import type { Head } from '../../../store/index.ts';

export type LifeEnd = Pick<Head, 'replica' | 'seq' | 'check'>;

/**
 * R9: where former lives of this file ended. A twin that still has the id of such a life has another history, which this end
 * contradicts.
 */
export class LifeEnds {
  /** Oldest first. */
  readonly list: readonly LifeEnd[];

  private constructor(list: readonly LifeEnd[]) {
    this.list = list;
  }

  /** What cannot be parsed is left out. */
  static parse(text: string | undefined): LifeEnds {
    const rows: unknown = JSON.parse(text ?? '[]');
    return new LifeEnds(Array.isArray(rows) ? rows.flatMap(parseEnd) : []);
  }

  /** Adds one. Beyond `endsMax` the oldest is forgotten: a twin of that life has to learn of the fork in another way. */
  with({ replica, seq, check }: LifeEnd, endsMax: number): LifeEnds {
    return seq === 0 ? this : new LifeEnds([...this.list, { replica, seq, check }].slice(-endsMax));
  }

  toText(): string {
    return JSON.stringify(this.list.map(({ replica, seq, check }) => [replica, seq, check]));
  }
}

function parseEnd(row: unknown): LifeEnd[] {
  if (!Array.isArray(row)) return [];
  const replica: ReplicaId | undefined = parseReplicaId(row[0]);
  const check: Check | undefined = parseCheck(row[2]);
  const seq: unknown = row[1];
  return replica !== undefined && check !== undefined && Number.isSafeInteger(seq)
    ? [{ replica, seq: seq as number, check }]
    : [];
}
