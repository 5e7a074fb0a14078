/**
 * What a test knows of every write that it sent: who had seen what, and what must still be there. A document is `{ n, past }`:
 * the number of the write that made it, and those of all writes that it replaced knowingly.
 */

/** A document of the test, as a node shows it. */
export interface Traced {
  readonly n: number;
  readonly past: readonly number[];
}

interface Write extends Traced {
  readonly key: string;
  readonly by: string;
  readonly isDeletion: boolean;
  isAcknowledged: boolean;
  /** The only disk that may have had it is gone. */
  isExcused: boolean;
}

/** What the conflict ledger of some node says of a loser: its value, or null for a deletion. */
export interface Loser {
  readonly key: string;
  readonly value: Traced | null;
}

export class WriteTruth {
  readonly #writes: Write[] = [];
  readonly #byKey = new Map<string, Write[]>();
  readonly #losers = new Map<string, (Traced | null)[]>();

  get acknowledged(): number {
    return this.#writes.filter(({ isAcknowledged }) => isAcknowledged).length;
  }

  get excused(): number {
    return this.#writes.filter(({ isExcused }) => isExcused).length;
  }

  /** Call before a write is sent. `seen`: the document that it replaces; `isDeletion`: it removes it. */
  begin(key: string, by: string, seen: Traced | undefined, isDeletion: boolean): Traced {
    const past = seen === undefined ? [] : [...seen.past, seen.n];
    const write = { n: this.#writes.length, past, key, by, isDeletion, isAcknowledged: false, isExcused: false };
    this.#writes.push(write);
    const ofKey = this.#byKey.get(key);
    if (ofKey === undefined) this.#byKey.set(key, [write]);
    else ofKey.push(write);
    return { n: write.n, past };
  }

  confirm(n: number): void {
    this.#writes[n]!.isAcknowledged = true;
  }

  /** The number that the next write gets. */
  get next(): number {
    return this.#writes.length;
  }

  /** Excuses what `by` wrote from the write `since` on, because its disk is gone and no other node had confirmed it. */
  excuse(by: string, since: number): void {
    for (const write of this.#writes.slice(since)) if (write.by === by) write.isExcused = true;
  }

  /** Notes what a node lists as lost to a concurrent write. */
  listed({ key, value }: Loser): void {
    const ofKey = this.#losers.get(key);
    if (ofKey === undefined) this.#losers.set(key, [value]);
    else ofKey.push(value);
  }

  /** What is wrong with a node that shows these documents in the end. */
  judge(node: string, shown: ReadonlyMap<string, Traced>): string[] {
    const unknown = [...shown.keys()].filter((key) => !this.#byKey.has(key));
    return [
      ...unknown.map((key) => `${node} shows ${key}, which nobody wrote`),
      ...[...this.#byKey].flatMap(([key, writes]) =>
        writes
          .filter(({ isAcknowledged, isExcused }) => isAcknowledged && !isExcused)
          .flatMap((write) => this.#judgeOne(write, shown.get(key)).map((what) => `${node}: ${what}`)),
      ),
    ];
  }

  #judgeOne(write: Write, shown: Traced | undefined): string[] {
    const what = `${write.isDeletion ? 'deletion' : 'write'} ${write.n} of ${write.key} by ${write.by}`;
    if (shown !== undefined && write.past.includes(shown.n)) return [`${what} had replaced ${shown.n}, which is shown`];
    if (shown === undefined ? this.#isDeleted(write) : covers(shown, write)) return [];
    if (this.#isListed(write)) return [];
    return [
      `${what} is lost: ${shown === undefined ? 'nothing' : `${shown.n} after ${shown.past.join(' ')}`} is shown`,
    ];
  }

  /** Whether it is a deletion that was sent, or one that had seen it was. */
  #isDeleted(write: Write): boolean {
    return this.#byKey.get(write.key)!.some((other) => other.isDeletion && covers(other, write));
  }

  #isListed(write: Write): boolean {
    const losers = this.#losers.get(write.key) ?? [];
    return losers.some((loser) => (loser === null ? this.#isDeleted(write) : covers(loser, write)));
  }
}

/** Whether this is the write, or had seen it. */
function covers(document: Traced, { n }: Traced): boolean {
  return document.n === n || document.past.includes(n);
}
