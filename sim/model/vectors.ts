// Knowledge, purge lines and causal contexts as the rules define them (docs/glossary.md), in their simplest form.

/** Replica → seq: knowledge, or a purge line. */
export type Vector = Map<string, number>;

/** An unbroken run of one replica's writes of one document. */
export interface Line {
  first: number;
  last: number;
}

/** Causal context of a version: replica → lines. */
export type Context = Map<string, Line[]>;

export interface Dotted {
  readonly replica: string;
  readonly seq: number;
}

export function dotOf(version: Dotted): string {
  return `${version.replica}:${version.seq}`;
}

export function covers(vector: Vector, { replica, seq }: Dotted): boolean {
  return (vector.get(replica) ?? 0) >= seq;
}

/** Raises `into` where `other` is higher. */
export function join(into: Vector, other: Vector): void {
  for (const [replica, seq] of other) raise(into, { replica, seq });
}

export function raise(into: Vector, dot: Dotted): void {
  if (!covers(into, dot)) into.set(dot.replica, dot.seq);
}

export function dominates(above: Vector, below: Vector): boolean {
  return [...below].every(([replica, seq]) => covers(above, { replica, seq }));
}

/** Whether the context holds the dot, that is, whether the version with this context knowingly replaced that write. */
export function hasSeen(context: Context, { replica, seq }: Dotted): boolean {
  return (context.get(replica) ?? []).some(({ first, last }) => first <= seq && seq <= last);
}

/** Adds a line to a context. A line that it overlaps is extended instead. */
export function see(context: Context, replica: string, { first, last }: Line): void {
  const lines = context.get(replica);
  const line = lines?.find((known) => known.first <= last && first <= known.last);
  if (line) {
    line.first = Math.min(line.first, first);
    line.last = Math.max(line.last, last);
  } else if (lines) lines.push({ first, last });
  else context.set(replica, [{ first, last }]);
}

export function seeAll(context: Context, other: Context): void {
  for (const [replica, lines] of other) for (const line of lines) see(context, replica, line);
}

export function copyContext(context: Context): Context {
  return new Map([...context].map(([replica, lines]) => [replica, lines.map((line) => ({ ...line }))]));
}

export function lineCount(context: Context): number {
  return [...context.values()].reduce((sum, lines) => sum + lines.length, 0);
}
