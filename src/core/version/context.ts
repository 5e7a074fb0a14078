import { compareBytes, type ReplicaId } from '../ids/index.ts';

/**
 * A line: an unbroken run of one replica's writes of one document, each made in sight of the one before. `first` and `last`
 * are seqs. A write that knowingly replaced `last` replaced the whole line.
 */
export interface Line {
  readonly replica: ReplicaId;
  readonly first: number;
  readonly last: number;
}

/** Causal context of a version: the lines of the document that it replaced, sorted by (replica, first) and disjoint. */
export type Context = readonly Line[];

export const EMPTY_CONTEXT: Context = Object.freeze([]);

/** Whether the context covers the write `(replica, seq)`, so that it was knowingly replaced. */
export function contextCovers(context: Context, replica: ReplicaId, seq: number): boolean {
  for (const line of context) if (line.replica === replica && line.first <= seq && seq <= line.last) return true;
  return false;
}

/** The context of a write that sees all these lines. Overlapping lines become one; a gap between two lines is kept (R1). */
export function joinLines(lines: readonly Line[]): Context {
  if (lines.length === 0) return EMPTY_CONTEXT;
  if (lines.length === 1) return lines;
  const sorted = [...lines].sort((a, b) => compareBytes(a.replica, b.replica) || a.first - b.first);
  const joined: Line[] = [];
  for (const line of sorted) {
    const before = joined.at(-1);
    if (before === undefined || before.replica !== line.replica || before.last < line.first) joined.push(line);
    else if (before.last < line.last) joined[joined.length - 1] = { ...before, last: line.last };
  }
  return joined;
}

/** True for lines in canonical form: sorted, disjoint, positive. Checks what comes from outside. */
export function isContext(lines: readonly Line[]): boolean {
  return lines.every((line, i) => {
    const before = lines[i - 1];
    if (!Number.isSafeInteger(line.first) || !Number.isSafeInteger(line.last)) return false;
    if (line.first < 1 || line.last < line.first) return false;
    if (before === undefined) return true;
    const order = compareBytes(before.replica, line.replica);
    return order < 0 || (order === 0 && before.last < line.first);
  });
}
