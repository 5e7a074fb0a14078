import { type Known, parseCheck } from '../../../core/version/index.ts';

/** How many openings of the database are remembered. */
const OPENINGS_MAX = 4;
const NONE: Known = { seq: 0, check: null };

/**
 * R9: points of this replica's history that peers have confirmed. The newest one may lie after a fork: each of two twins may
 * have peers of its own, which confirm what that twin wrote since. But a point that was confirmed when this process started
 * is older than any copy of the running machine, and one that was confirmed some openings ago is older than most copies of
 * its disk.
 */
export class ConfirmedPoints {
  /** The newest confirmed point at each of the last openings, oldest first. */
  readonly #atOpenings: readonly Known[];
  #newest: Known;
  #text: string | null | undefined;

  private constructor(atOpenings: readonly Known[], newest: Known) {
    this.#atOpenings = atOpenings;
    this.#newest = newest;
  }

  /** For a new life, of which nothing is confirmed yet. */
  static none(): ConfirmedPoints {
    return new ConfirmedPoints([], NONE);
  }

  /** Reads them from the metadata; what cannot be parsed counts as nothing confirmed. `isOpening`: the database is being opened. */
  static parse(text: string | undefined, isOpening: boolean): ConfirmedPoints {
    const points = (text ?? '').split(',').map(parsePoint);
    const newest = points.pop() ?? NONE;
    const atOpenings = isOpening ? [...points, newest].slice(-OPENINGS_MAX) : points;
    return new ConfirmedPoints(atOpenings, newest);
  }

  confirm(known: Known | undefined): void {
    if (known === undefined || known.check === null || known.seq <= this.#newest.seq) return;
    this.#newest = known;
    this.#text = undefined;
  }

  /** The newest point that is likely to lie before any fork. */
  beforeFork(): Known {
    return this.#atOpenings[0] ?? NONE;
  }

  /** Null if nothing is confirmed. */
  toText(): string | null {
    this.#text ??= this.#newest.seq === 0 ? null : [...this.#atOpenings, this.#newest].map(pointToText).join();
    return this.#text;
  }
}

function pointToText({ seq, check }: Known): string {
  return `${seq}:${check}`;
}

function parsePoint(text: string): Known {
  const [seq, check] = text.split(':');
  const parsed = parseCheck(check);
  return seq !== undefined && parsed !== undefined ? { seq: Number(seq), check: parsed } : NONE;
}
