/** The oldest are joined, so that resume tokens from between them get a reset, too. */
const RANGES_MAX = 100;

type Range = readonly [after: number, upTo: number];

/**
 * Change positions of this file that a power cut may have taken back, with durability `normal`. They are not given out again,
 * since a resume token may name one, but what they meant is lost.
 */
export class LostPositions {
  readonly #ranges: readonly Range[];

  private constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  /** Reads them from the metadata. What cannot be parsed is left out. */
  static parse(text: string | undefined): LostPositions {
    const rows: unknown = text === undefined ? [] : JSON.parse(text);
    const isRange = (row: unknown): row is Range =>
      Array.isArray(row) && row.length === 2 && row.every(Number.isFinite);
    return new LostPositions(Array.isArray(rows) ? rows.filter(isRange) : []);
  }

  /** With the positions above `after` up to `upTo`. */
  with(after: number, upTo: number): LostPositions {
    const ranges: Range[] = [...this.#ranges, [after, upTo]];
    const [first, second, ...others] = ranges;
    return new LostPositions(ranges.length > RANGES_MAX ? [[first![0], second![1]], ...others] : ranges);
  }

  has(pos: number): boolean {
    return this.#ranges.some(([after, upTo]) => pos > after && pos <= upTo);
  }

  toText(): string {
    return JSON.stringify(this.#ranges);
  }
}
