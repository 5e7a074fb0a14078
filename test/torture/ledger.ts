/** What a process reported about its writes, and whether what a database holds now agrees with that. */

/** The number of a write, or null for no document. */
export type State = number | null;

export interface Operation {
  readonly n: number;
  /** Happens whole or not at all. A null state is a delete. */
  readonly writes: readonly (readonly [key: string, state: State])[];
}

/** One line that the process under test prints. */
export type Line =
  | { readonly t: 'open' | 'ready'; readonly replica: string; readonly seq: number }
  | ({ readonly t: 'begin' } & Operation)
  | { readonly t: 'ack'; readonly n: number; readonly replica: string; readonly seq: number }
  | { readonly t: 'fail'; readonly n: number; readonly code: string; readonly reason: string; readonly message: string }
  | { readonly t: 'stage'; readonly name: string; readonly path?: string }
  | {
      readonly t: 'problem';
      readonly at: string;
      readonly code: string;
      readonly reason: string;
      readonly message: string;
    };

interface KeyHistory {
  readonly states: State[];
  /** Index of the newest acknowledged state; earlier ones must no longer be read. */
  confirmed: number;
}

export class Ledger {
  readonly #keys = new Map<string, KeyHistory>();
  readonly #operations = new Map<number, Operation>();
  readonly #acknowledged = new Set<number>();
  /** The highest seq used under each replica id, as far as the process reported it. */
  readonly usedSeqs = new Map<string, number>();
  /** What was confirmed of each key when the newest backup began; `#atBackup`: when the newest finished one began. */
  #atBackupBegin: ReadonlyMap<string, number> = new Map();
  #atBackup: ReadonlyMap<string, number> = new Map();
  #stages: string[] = [];

  static of(lines: Iterable<Line>): Ledger {
    const ledger = new Ledger();
    for (const line of lines) ledger.note(line);
    return ledger;
  }

  note(line: Line): void {
    if (line.t === 'begin') this.#begin(line);
    else if (line.t === 'ack') this.#acknowledge(line.n);
    else if (line.t === 'stage') this.#stage(line.name);
    if (line.t === 'ack' || line.t === 'ready') this.#use(line.replica, line.seq);
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  has(stage: string): boolean {
    return this.#stages.includes(stage);
  }

  /** Checks that every acknowledged write is there, every other one whole or not at all, and nothing else. */
  problems(found: ReadonlyMap<string, number>): string[] {
    const problems: string[] = [];
    for (const key of found.keys()) if (!this.#keys.has(key)) problems.push(`${key} was never written`);
    for (const [key, { states, confirmed }] of this.#keys) {
      const state = found.get(key) ?? null;
      const allowed = states.slice(confirmed);
      if (!allowed.includes(state)) problems.push(`${key} is ${state}, allowed is ${allowed.join(' or ')}`);
    }
    for (const { n, writes } of this.#operations.values()) {
      const there = writes.filter(([key, state]) => (found.get(key) ?? null) === state);
      // In these lives, no other write uses the keys of a transaction, so a missing one was not overwritten.
      if (writes.length > 1 && there.length !== 0 && there.length !== writes.length)
        problems.push(`transaction ${n} is there in part: ${there.length} of ${writes.length}`);
    }
    return problems;
  }

  /**
   * For a life that writes one after another: what is there must be the state after some prefix of its writes. Returns how
   * many acknowledged writes are missing, or undefined if there is no such prefix.
   */
  missingOfPrefix(found: ReadonlyMap<string, number>): number | undefined {
    const operations = [...this.#operations.values()];
    const state = new Map<string, number>();
    let missing: number | undefined = isSame(state, found) ? this.acknowledged : undefined;
    let passed = 0;
    for (const { n, writes } of operations) {
      for (const [key, value] of writes) {
        if (value === null) state.delete(key);
        else state.set(key, value);
      }
      if (this.#acknowledged.has(n)) passed++;
      if (isSame(state, found)) missing = this.acknowledged - passed;
    }
    return missing;
  }

  #begin({ n, writes }: Operation): void {
    this.#operations.set(n, { n, writes });
    for (const [key, state] of writes) {
      const history = this.#keys.get(key) ?? { states: [null], confirmed: 0 };
      history.states.push(state);
      this.#keys.set(key, history);
    }
  }

  #acknowledge(n: number): void {
    this.#acknowledged.add(n);
    for (const [key, state] of this.#operations.get(n)!.writes) {
      const history = this.#keys.get(key)!;
      history.confirmed = Math.max(history.confirmed, history.states.lastIndexOf(state));
    }
  }

  #stage(name: string): void {
    this.#stages.push(name);
    if (name === 'backup') this.#atBackupBegin = this.#confirmed();
    if (name === 'backed up') this.#atBackup = this.#atBackupBegin;
    if (name !== 'restore') return;
    // Later writes may be gone, or a peer may bring them back: both are right.
    for (const [key, history] of this.#keys) history.confirmed = this.#atBackup.get(key) ?? 0;
  }

  #confirmed(): Map<string, number> {
    return new Map(Array.from(this.#keys, ([key, { confirmed }]) => [key, confirmed]));
  }

  #use(replica: string, seq: number): void {
    this.usedSeqs.set(replica, Math.max(seq, this.usedSeqs.get(replica) ?? 0));
  }
}

/** The complete lines; a killed process may leave half of the last one. */
export function parseLines(text: string): Line[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
