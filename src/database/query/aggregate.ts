import type { Limits } from '../../core/config/index.ts';
import { PersistenceError } from '../../core/errors/index.ts';
import {
  canonicalJson,
  compareValues,
  isJsonArray,
  type JsonValue,
  type Path,
  readPath,
  toPath,
} from '../../core/query/index.ts';
import type { Aggregate, Group } from './query-api.ts';

type Kind = 'sum' | 'avg' | 'min' | 'max';

/** A parsed aggregate with its name. */
export interface NamedAggregate {
  readonly name: string;
  readonly kind: Kind;
  readonly path: Path;
}

const KINDS: readonly string[] = ['sum', 'avg', 'min', 'max'];

/** Throws a TypeError for an invalid aggregate. */
export function parseAggregates(aggregates: Readonly<Record<string, Aggregate>>): NamedAggregate[] {
  if (typeof aggregates !== 'object' || aggregates === null)
    throw new TypeError(
      `the aggregates are ${String(aggregates)}; write an object such as { total: { sum: 'price' } }`,
    );
  return Object.entries(aggregates).map(([name, aggregate]) => {
    const [entry, ...others] = Object.entries(aggregate ?? {}) as [Kind, unknown][];
    if (entry === undefined || others.length > 0 || !KINDS.includes(entry[0]) || typeof entry[1] !== 'string') {
      throw new TypeError(
        `the aggregate ${JSON.stringify(name)} is none of { sum }, { avg }, { min } or { max } of a path`,
      );
    }
    return { name, kind: entry[0], path: toPath(entry[1]) };
  });
}

/** Collects documents into at most `groupsMax` groups. */
export class Groups {
  readonly #by: readonly Path[];
  readonly #aggregates: readonly NamedAggregate[];
  readonly #limits: Limits;
  readonly #groups = new Map<string, GroupOf>();

  constructor(by: readonly Path[], aggregates: readonly NamedAggregate[], limits: Limits) {
    this.#by = by;
    this.#aggregates = aggregates;
    this.#limits = limits;
  }

  add(document: JsonValue): void {
    const by = this.#by.map((path) => readPath(document, path) ?? null);
    const key = canonicalJson(by);
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= this.#limits.groupsMax) throw tooMany(this.#limits.groupsMax);
      group = new GroupOf(by, this.#aggregates);
      this.#groups.set(key, group);
    }
    group.add(document);
  }

  /** The groups, sorted by their values. */
  result(): Group[] {
    return [...this.#groups.values()].map((group) => group.result()).sort((a, b) => compareAll(a.by, b.by));
  }
}

class GroupOf {
  readonly #by: readonly JsonValue[];
  readonly #sums: readonly Sum[];
  #count = 0;

  constructor(by: readonly JsonValue[], aggregates: readonly NamedAggregate[]) {
    this.#by = by;
    this.#sums = aggregates.map((aggregate) => new Sum(aggregate));
  }

  add(document: JsonValue): void {
    this.#count++;
    for (const sum of this.#sums) sum.add(document);
  }

  result(): Group {
    const values = Object.fromEntries(this.#sums.map((sum) => [sum.name, sum.result()]));
    return { by: this.#by, count: this.#count, values };
  }
}

/** One aggregate of one group. */
class Sum {
  readonly name: string;
  readonly #kind: Kind;
  readonly #path: Path;
  #total = 0;
  /** The same sum in units of `UNIT`, for numbers whose sum is beyond what a number can hold. */
  #inUnits = 0;
  #numbers = 0;
  #extreme: JsonValue = null;

  constructor({ name, kind, path }: NamedAggregate) {
    this.name = name;
    this.#kind = kind;
    this.#path = path;
  }

  add(document: JsonValue): void {
    const found = readPath(document, this.#path);
    if (found === undefined || found === null) return;
    if (typeof found === 'number') {
      this.#total += found;
      this.#inUnits += found / UNIT;
      this.#numbers++;
    }
    const order = this.#extreme === null ? 0 : compareValues(found, this.#extreme);
    if (this.#extreme === null || (this.#kind === 'min' ? order < 0 : order > 0)) this.#extreme = found;
  }

  result(): JsonValue {
    switch (this.#kind) {
      case 'sum':
        return Number.isFinite(this.#total) ? this.#total : this.#inUnits * UNIT;
      case 'avg':
        return this.#numbers === 0 ? null : this.#average();
      default:
        return this.#extreme;
    }
  }

  #average(): number {
    if (Number.isFinite(this.#total)) return this.#total / this.#numbers;
    return (this.#inUnits / this.#numbers) * UNIT;
  }
}

/** A power of two, so that dividing by it loses no digits. */
const UNIT = 2 ** 64;

/** The distinct values at a path of the documents added. An array counts as its items. */
export class Values {
  readonly #path: Path;
  readonly #limits: Limits;
  readonly #values = new Map<string, JsonValue>();

  constructor(path: Path, limits: Limits) {
    this.#path = path;
    this.#limits = limits;
  }

  add(document: JsonValue): void {
    const found = readPath(document, this.#path);
    if (found === undefined) return;
    for (const value of typeof found === 'object' && found !== null && isJsonArray(found) ? found : [found]) {
      this.#values.set(canonicalJson(value), value);
      if (this.#values.size > this.#limits.groupsMax) throw tooMany(this.#limits.groupsMax);
    }
  }

  /** The values, sorted. */
  result(): JsonValue[] {
    return [...this.#values.values()].sort((a, b) => compareAll([a], [b]));
  }
}

/** Arrays and objects, which `compareValues` treats as equal, are ordered by their JSON text. */
function compareAll(a: readonly JsonValue[], b: readonly JsonValue[]): number {
  for (const [i, value] of a.entries()) {
    const order = compareValues(value, b[i]);
    if (order !== 0) return order;
  }
  const [x, y] = [canonicalJson(a), canonicalJson(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function tooMany(max: number): PersistenceError {
  return new PersistenceError(
    'RESULT_TOO_LARGE',
    `there are more than ${max} groups or values (Limits.groupsMax); filter the documents, or group by less`,
    { details: { groupsMax: max } },
  );
}
