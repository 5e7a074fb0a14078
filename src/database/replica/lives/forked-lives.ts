import { parseReplicaId, type ReplicaId } from '../../../core/ids/index.ts';
import { type Check, FIRST_CHECK, type ForkEvidence, parseCheck } from '../../../core/version/index.ts';
import type { Head } from '../../../store/index.ts';

/** The oldest are forgotten; a twin of such a life has to learn of the fork in another way. */
const LIVES_MAX = 20;

type End = Pick<Head, 'replica' | 'seq' | 'check'>;

/**
 * R9: the ends of those lives of this file that turned out to have a twin. The history of the twin contradicts such an end, so
 * it recognises the fork whenever it hears of it.
 */
export class ForkedLives {
  readonly #ends: readonly End[];

  private constructor(ends: readonly End[]) {
    this.#ends = ends;
  }

  /** What cannot be parsed is left out. */
  static parse(text: string | undefined): ForkedLives {
    const rows: unknown = JSON.parse(text ?? '[]');
    return new ForkedLives(Array.isArray(rows) ? rows.flatMap(parseEnd) : []);
  }

  with({ replica, seq, check }: End): ForkedLives {
    return seq === 0 ? this : new ForkedLives([...this.#ends, { replica, seq, check }].slice(-LIVES_MAX));
  }

  toText(): string {
    return JSON.stringify(this.#ends.map(({ replica, seq, check }) => [replica, seq, check]));
  }

  /** The second check is that of no write, so it contradicts even a longer history of the twin that agrees with the first. */
  evidence(): ForkEvidence[] {
    return this.#ends.map(({ replica, seq, check }) => ({ replica, seq, checks: [check, FIRST_CHECK] }));
  }
}

function parseEnd(row: unknown): End[] {
  if (!Array.isArray(row)) return [];
  const replica: ReplicaId | undefined = parseReplicaId(row[0]);
  const check: Check | undefined = parseCheck(row[2]);
  const seq: unknown = row[1];
  return replica !== undefined && check !== undefined && Number.isSafeInteger(seq)
    ? [{ replica, seq: seq as number, check }]
    : [];
}
