// Random schedules of the model: writes, deletes, purges, interleaved and cut sessions, late pushes, restored backups,
// damaged rows, new replicas. After healing:
//   converged  every replica shows the same versions of every document;
//   no zombie  nothing that was knowingly deleted or overwritten is visible anywhere;
//   no loss    every acknowledged write is visible or was knowingly overwritten, unless the only disk that held it was
//              damaged, or replaced by an older backup.
import { type Pick, pickOne, pickWeighted, seededPick } from './random.ts';
import { createNames, Replica, RULES, type Rules, round, Session, type Version } from './replication-model.ts';
import { dotOf, hasSeen } from './vectors.ts';

export interface Counterexample {
  readonly seed: number;
  readonly kind: 'diverged' | 'zombie' | 'lost' | 'dot used twice';
  readonly what: string;
}

type Action = 'write' | 'round' | 'purge' | 'push' | 'session' | 'cut' | 'damage' | 'backup' | 'restore' | 'join';

const NODES_MAX = 7;

/** Runs one schedule; null if nothing went wrong. */
export function explore(seed: number, steps = 60, rules: Rules = RULES): Counterexample | null {
  const world = new World(seededPick(seed), rules);
  for (let i = 0; i < steps && world.dotUsedTwice === null; i++) world.step();
  if (world.dotUsedTwice !== null) return { seed, kind: 'dot used twice', what: world.dotUsedTwice };
  world.heal();
  const found = world.divergence() ?? world.badWrite();
  return found && { seed, ...found };
}

/** The first counterexample among `count` seeds; null if there is none. */
export function search(first: number, count: number, steps = 60, rules: Rules = RULES): Counterexample | null {
  for (let seed = first; seed < first + count; seed++) {
    const found = explore(seed, steps, rules);
    if (found) return found;
  }
  return null;
}

class World {
  dotUsedTwice: string | null = null;
  readonly #pick: Pick;
  readonly #rules: Rules;
  readonly #nextId = createNames();
  readonly #keys: readonly string[];
  readonly #nodes: Replica[];
  readonly #weights: Readonly<Record<Action, number>>;
  readonly #historyByDot = new Map<string, Version>();
  readonly #lostDots = new Set<string>();
  readonly #backups: { readonly index: number; readonly copy: Replica }[] = [];
  readonly #flying: Version[] = [];
  readonly #sessions: Session[] = [];

  constructor(pick: Pick, rules: Rules) {
    this.#pick = pick;
    this.#rules = rules;
    this.#keys = ['a', 'b', 'c'].slice(0, 1 + pick(3));
    this.#nodes = Array.from({ length: 2 + pick(4) }, () => this.#newReplica());
    this.#weights = {
      write: 20 + pick(25),
      round: 30 + pick(30),
      purge: pick(14),
      push: pick(14),
      session: pick(60),
      cut: pick(6),
      damage: pick(4),
      backup: pick(6),
      restore: pick(5),
      join: pick(4),
    };
  }

  step(): void {
    const index = this.#pick(this.#nodes.length);
    this.#act[pickWeighted(this.#pick, this.#weights)](this.#nodes[index]!, index);
  }

  /** Runs enough full rounds for everything to reach every node. */
  heal(): void {
    for (let k = 0; k < 2 * this.#nodes.length; k++) {
      for (const from of this.#nodes) {
        for (const to of this.#nodes) if (from !== to) round(from, to, Number.POSITIVE_INFINITY, this.#rules);
      }
    }
  }

  divergence(): Omit<Counterexample, 'seed'> | null {
    const shapes = this.#nodes.map((node) => `${node.id} ${shapeOf(node)}`);
    if (new Set(this.#nodes.map(shapeOf)).size <= 1) return null;
    return { kind: 'diverged', what: shapes.join('\n') };
  }

  /** Ground truth: a version was replaced knowingly if a surviving write saw it, directly or through what that write saw. */
  badWrite(): Omit<Counterexample, 'seed'> | null {
    const history = [...this.#historyByDot.values()];
    const isBack = (dot: string) => this.#nodes.some((node) => node.includes(this.#historyByDot.get(dot)!));
    for (const dot of [...this.#lostDots]) if (isBack(dot)) this.#lostDots.delete(dot); // a later restore brought it back
    const visible = new Set(this.#nodes.flatMap((node) => this.#keys.flatMap((key) => node.values(key).map(dotOf))));
    for (const version of history) {
      const replacing = history.filter((other) => other.key === version.key && hasSeen(other.context, version));
      const survivor = replacing.find((other) => !this.#lostDots.has(dotOf(other)));
      const dot = dotOf(version);
      if (survivor && visible.has(dot)) return { kind: 'zombie', what: `${dot}, replaced by ${dotOf(survivor)}` };
      const isExcused = version.isTombstone || replacing.length > 0 || this.#lostDots.has(dot);
      if (!isExcused && !visible.has(dot)) return { kind: 'lost', what: `${dot} of ${version.key}` };
    }
    return null;
  }

  readonly #act: Readonly<Record<Action, (node: Replica, index: number) => void>> = {
    write: (node) => {
      const version = node.write(pickOne(this.#pick, this.#keys), this.#pick(3) === 0);
      if (this.#historyByDot.has(dotOf(version))) this.dotUsedTwice = dotOf(version);
      this.#historyByDot.set(dotOf(version), version);
      this.#flying.push(version);
    },
    round: (node, index) => {
      const to = this.#other(index);
      round(node, to, this.#pick(4) === 0 ? this.#pick(4) : Number.POSITIVE_INFINITY, this.#rules);
    },
    purge: (node) => node.purge(),
    /** A live push, which may come late, twice, out of order or never. */
    push: (node) => {
      if (this.#flying.length > 0) node.apply(pickOne(this.#pick, this.#flying));
    },
    session: (node, index) => {
      if (this.#sessions.length > 0 && this.#pick(4) > 0) {
        const k = this.#pick(this.#sessions.length);
        if (this.#sessions[k]!.step()) this.#sessions.splice(k, 1);
      } else this.#sessions.push(new Session(node, this.#other(index), this.#rules));
    },
    cut: () => {
      if (this.#sessions.length > 0) this.#sessions.splice(this.#pick(this.#sessions.length), 1)[0]!.close();
    },
    damage: (node) => {
      if (node.docs.size === 0) return;
      const before = this.#copy(node, false);
      node.docs.delete(pickOne(this.#pick, [...node.docs.keys()]));
      if (this.#rules.damageForgets) node.forget(this.#nextId());
      this.#noteLosses(before);
      this.#closeSessions(node);
    },
    backup: (node, index) => {
      this.#backups.push({ index, copy: this.#copy(node, false) });
    },
    /** The disk is lost, and an old backup takes the node's place. */
    restore: () => {
      if (this.#backups.length === 0) return;
      const { index, copy } = pickOne(this.#pick, this.#backups);
      const gone = this.#nodes[index]!;
      this.#closeSessions(gone);
      this.#nodes[index] = this.#copy(copy, this.#rules.newReplicaOnRestore);
      this.#noteLosses(gone);
    },
    join: () => {
      if (this.#nodes.length < NODES_MAX) this.#nodes.push(this.#newReplica());
    },
  };

  #newReplica(): Replica {
    return new Replica(this.#rules, this.#nextId());
  }

  #copy(node: Replica, isNewLife: boolean): Replica {
    return node.copy(this.#nextId(), isNewLife);
  }

  #other(index: number): Replica {
    return this.#nodes[(index + 1 + this.#pick(this.#nodes.length - 1)) % this.#nodes.length]!;
  }

  /** Notes as lost what existed on that disk alone. */
  #noteLosses(disk: Replica): void {
    for (const [dot, version] of this.#historyByDot) {
      if (disk.includes(version) && !this.#nodes.some((node) => node.includes(version))) this.#lostDots.add(dot);
    }
  }

  #closeSessions(node: Replica): void {
    for (const session of this.#sessions.filter(({ from, to }) => from === node || to === node)) {
      session.close();
      this.#sessions.splice(this.#sessions.indexOf(session), 1);
    }
  }
}

function shapeOf(node: Replica): string {
  const rows = [...node.docs.keys()].map((key) => [key, node.values(key).map(dotOf).sort()] as const);
  return JSON.stringify(rows.filter(([, dots]) => dots.length > 0).sort());
}
