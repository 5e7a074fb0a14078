import { type AttackCounts, type AttackOptions, createCounts } from './attack-options.ts';
import { AttackReplica, type Version } from './attack-replica.ts';
import { attackRound } from './attack-round.ts';
import { EarlySession } from './early-session.ts';
import { type Pick, pickOne, pickWeighted, seededPick } from './random.ts';
import { SlowSession } from './slow-session.ts';
import { hasSeen } from './vectors.ts';

export type Harm = 'diverged' | 'zombie' | 'lost';

export interface AttackResult {
  readonly harm: readonly Harm[];
  readonly counts: AttackCounts;
  /** Whether nodes still send versions when they meet again after healing. */
  readonly isNeverQuiet: boolean;
  /** Deleted documents that no node could purge in the end. */
  readonly unpurgeable: number;
}

type Action =
  | 'write'
  | 'round'
  | 'purge'
  | 'push'
  | 'session'
  | 'clone'
  | 'rollback'
  | 'restore'
  | 'backup'
  | 'damage'
  | 'narrow'
  | 'prune'
  | 'cut';

const NODES_MAX = 6;

/** Runs one schedule under attack. `harm` is empty if nothing went wrong. */
export function attack(seed: number, steps: number, options: AttackOptions): AttackResult {
  const world = new AttackWorld(seededPick(seed), options);
  for (let i = 0; i < steps; i++) world.step();
  for (let k = 0; k < 2 * world.nodes.length; k++) world.allMeet();
  const harm = world.harm();
  world.counts.sent = 0;
  world.allMeet();
  const isNeverQuiet = world.counts.sent > 0;
  for (const node of world.nodes) node.purge();
  const deadCounts = world.nodes.map(
    (node) => [...node.docs.values()].filter((doc) => doc.live.every((version) => version.isTombstone)).length,
  );
  return { harm, counts: world.counts, isNeverQuiet, unpurgeable: Math.max(...deadCounts) };
}

class AttackWorld {
  readonly counts = createCounts();
  readonly nodes: AttackReplica[];
  readonly #pick: Pick;
  readonly #options: AttackOptions;
  readonly #names = { replicas: 0, processes: 0, values: 0 };
  readonly #keys: readonly string[];
  readonly #weights: Readonly<Record<Action, number>>;
  readonly #history: Version[] = [];
  readonly #backups: { readonly index: number; readonly copy: AttackReplica }[] = [];
  readonly #sessions: (SlowSession | EarlySession)[] = [];
  readonly #lostValues = new Set<number>();

  constructor(pick: Pick, options: AttackOptions) {
    this.#pick = pick;
    this.#options = options;
    this.#keys = ['a', 'b', 'c'].slice(0, 1 + pick(3));
    this.nodes = Array.from({ length: 2 + pick(3) }, () => new AttackReplica(options, this.#names));
    this.#weights = options.isContended ? contendedWeights(pick, options) : weightsOf(pick, options);
  }

  step(): void {
    const index = this.#pick(this.nodes.length);
    this.#act[pickWeighted(this.#pick, this.#weights)](this.nodes[index]!, index);
  }

  allMeet(): void {
    for (const from of this.nodes) {
      for (const to of this.nodes) {
        if (from !== to) attackRound(from, to, Number.POSITIVE_INFINITY, this.#options, this.counts);
      }
    }
  }

  /** Judges by true ancestors, whatever dots and contexts say. */
  harm(): Harm[] {
    const found = new Set<Harm>();
    const shapes = new Set(this.nodes.map(shapeOf));
    if (shapes.size > 1) found.add('diverged');
    const everywhere = this.nodes.flatMap((node) => this.#keys.flatMap((key) => node.values(key)));
    const visible = new Set(everywhere.map((version) => version.value));
    for (const { value, isTombstone } of this.#history) {
      const replacing = this.#history.filter((other) => other.ancestors.has(value));
      const isReplaced = replacing.some((other) => !this.#lostValues.has(other.value));
      if (isReplaced && visible.has(value)) found.add('zombie');
      const isExcused = isTombstone || replacing.length > 0 || this.#lostValues.has(value);
      if (!isExcused && !visible.has(value)) found.add('lost');
    }
    return [...found];
  }

  readonly #act: Readonly<Record<Action, (node: AttackReplica, index: number) => void>> = {
    write: (node) => {
      const key = pickOne(this.#pick, this.#keys);
      this.#history.push(node.write(key, this.#pick(3) === 0));
    },
    round: (node, index) => {
      const to = this.#other(index);
      const budget = this.#pick(this.#options.cutOneIn ?? 4) === 0 ? this.#pick(4) : Number.POSITIVE_INFINITY;
      attackRound(node, to, budget, this.#options, this.counts);
    },
    purge: (node) => node.purge(),
    push: (node) => {
      if (this.#history.length > 0) node.apply(pickOne(this.#pick, this.#history));
    },
    session: (node, index) => {
      if (this.#sessions.length > 0 && this.#pick(5) > 0) this.#stepSession();
      else this.#sessions.push(this.#openSession(node, this.#other(index)));
      if (!this.#options.burst) return;
      for (let left = this.#pick(this.#options.burst); left > 0 && this.#sessions.length > 0; left--)
        this.#stepSession();
    },
    clone: (node) => {
      if (this.nodes.length < NODES_MAX) this.nodes.push(node.copy(false));
    },
    backup: (node, index) => {
      this.#backups.push({ index, copy: node.copy(this.#options.restore === true) });
    },
    rollback: () => this.#replaceByBackup(false),
    restore: () => this.#replaceByBackup(true),
    damage: (node) => {
      if (node.docs.size === 0) return;
      const before = node.copy(false);
      node.docs.delete(pickOne(this.#pick, [...node.docs.keys()]));
      this.#forget(node);
      node.beginNewLife();
      this.#noteLosses(before);
    },
    narrow: (node) => {
      const before = node.copy(false);
      node.docs = new Map();
      this.#forget(node);
      if (this.#options.narrow === 'newId') node.beginNewLife();
      if (this.#options.narrow !== 'keepLine') node.purged = new Map();
      this.#noteLosses(before);
    },
    prune: (node) => node.pruneContexts(),
    cut: () => {
      if (this.#sessions.length > 0) this.#sessions.splice(this.#pick(this.#sessions.length), 1);
    },
  };

  #openSession(from: AttackReplica, to: AttackReplica): SlowSession | EarlySession {
    const { early } = this.#options;
    if (early) return new EarlySession(from, to, early, this.counts, this.#pick, this.#keys);
    return new SlowSession(from, to, this.#options, this.counts);
  }

  #stepSession(): void {
    const k = this.#pick(this.#sessions.length);
    if (this.#sessions[k]!.step()) this.#sessions.splice(k, 1);
  }

  #replaceByBackup(isNewLife: boolean): void {
    if (this.#backups.length === 0) return;
    const { index, copy } = pickOne(this.#pick, this.#backups);
    const gone = this.nodes[index]!;
    this.#closeSessions(gone);
    const node = copy.copy(isNewLife);
    this.nodes[index] = node;
    if (!isNewLife) node.forkedAt = copy.seq;
    const isHeld = ({ key, value }: Version) =>
      this.nodes.some((x) => x.live(key).some((held) => held.value === value || held.ancestors.has(value)));
    this.#noteLosses(gone, isHeld);
  }

  #forget(node: AttackReplica): void {
    node.known = new Map();
    node.extra = new Set();
    if (this.#options.cursors !== 'outlivesRows') node.cursorsBySender.clear();
    this.#closeSessions(node);
  }

  #closeSessions(node: AttackReplica): void {
    const open = this.#sessions.filter(({ from, to }) => from !== node && to !== node);
    this.#sessions.splice(0, this.#sessions.length, ...open);
  }

  /** Notes as lost what existed on that disk alone. */
  #noteLosses(disk: AttackReplica, isHeld = (v: Version) => this.nodes.some((node) => includes(node, v))): void {
    for (const version of this.#history) {
      if (includes(disk, version) && !isHeld(version)) this.#lostValues.add(version.value);
    }
  }

  #other(index: number): AttackReplica {
    return this.nodes[(index + 1 + this.#pick(this.nodes.length - 1)) % this.nodes.length]!;
  }
}

function weightsOf(pick: Pick, options: AttackOptions): Record<Action, number> {
  return {
    write: 20 + pick(25),
    round: 30 + pick(30),
    purge: pick(14),
    push: pick(14),
    session: options.slow || options.early ? pick(60) : 0,
    clone: options.clone ? pick(4) : 0,
    rollback: options.rollback ? pick(4) : 0,
    restore: options.restore ? pick(5) : 0,
    backup: options.rollback || options.restore ? pick(6) : 0,
    damage: options.damage ? pick(4) : 0,
    narrow: options.narrow ? pick(6) : 0,
    prune: options.prune ? pick(12) : 0,
    cut: 0,
  };
}

function contendedWeights(pick: Pick, options: AttackOptions): Record<Action, number> {
  return {
    write: 12 + pick(25),
    round: 2 + pick(16),
    purge: 6 + pick(16),
    push: 6 + pick(24),
    session: 50 + pick(90),
    clone: 0,
    rollback: 0,
    restore: options.restore ? pick(6) : 0,
    backup: pick(6),
    damage: options.damage ? pick(4) : 0,
    narrow: 0,
    prune: 0,
    cut: options.cursors ? pick(40) : 0,
  };
}

function includes(node: AttackReplica, version: Version): boolean {
  if (node.knows(version)) return true;
  return node.live(version.key).some((held) => held.value === version.value || hasSeen(held.context, version));
}

function shapeOf(node: AttackReplica): string {
  const rows = [...node.docs.keys()].map(
    (key) =>
      [
        key,
        node
          .values(key)
          .map(({ value }) => value)
          .sort(),
      ] as const,
  );
  return JSON.stringify(rows.filter(([, values]) => values.length > 0).sort());
}
