import { type Known, parseCheck } from '../../core/version/index.ts';

/** Openings of the database that are looked back upon. */
const OPENINGS_MAX = 4;
const NONE: Known = { seq: 0, check: null };

/**
 * R9: points of the own history that peers were seen to share. The newest one does not tell where a twin parted: each of two
 * twins may have peers of its own, which share what that twin wrote since. What was shared when this process began, though,
 * was shared before any copy of the running machine, and what was shared some openings ago before most copies of its disk.
 */
export class ConfirmedPoints {
  /** The newest point at each of the last openings, oldest first. */
  readonly #atOpenings: readonly Known[];
  #newest: Known;
  #text: string | null | undefined;

  private constructor(atOpenings: readonly Known[], newest: Known) {
    this.#atOpenings = atOpenings;
    this.#newest = newest;
  }

  /** A new life: nobody has confirmed anything of it yet. */
  static none(): ConfirmedPoints {
    return new ConfirmedPoints([], NONE);
  }

  /** As the database keeps them; nothing is confirmed where nothing can be read. `isOpening`: the process has just begun. */
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

  /** The newest point of which it is likely that it lies before any fork. */
  beforeFork(): Known {
    return this.#atOpenings[0] ?? NONE;
  }

  /** Null where there is nothing to keep. */
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
