import { guardMethods, rejecting } from '../../core/options/index.ts';
import type { QueryPlan } from '../../store/index.ts';
import type { Document, ReadOptions, WaitOptions } from '../document-api.ts';
import { READ, WAIT } from '../option-names.ts';
import type { FieldOperators, Filter, Path, ValueAt } from '../schema/index.ts';
import type { FindOptions, Page } from './query-api.ts';

/** The methods of a collection that a fluent query calls in the end. */
export interface QueryTarget<T extends object, Input extends object> {
  count(filter?: Filter<Input>, options?: WaitOptions): Promise<number>;
  find(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<T[]>;
  findEntries(filter?: Filter<Input>, options?: FindOptions<Input> & ReadOptions): Promise<[key: string, value: T][]>;
  findFields(
    fields: readonly string[],
    filter?: Filter<Input>,
    options?: FindOptions<Input> & ReadOptions,
  ): Promise<[string, Document][]>;
  findPage(
    filter?: Filter<Input>,
    options?: FindOptions<Input> & ReadOptions & { readonly after?: string },
  ): Promise<Page<T>>;
  explain(filter?: Filter<Input>, options?: FindOptions<Input>): Promise<QueryPlan>;
}

interface Parts {
  readonly conditions: readonly object[];
  readonly sort: Readonly<Record<string, 1 | -1>> | undefined;
  readonly skip: number | undefined;
  readonly limit: number | undefined;
  readonly after: string | undefined;
}

const NOTHING: Parts = { conditions: [], sort: undefined, skip: undefined, limit: undefined, after: undefined };

/**
 * What may follow `where(path)`: an operator, and then further operators on the same path or any step of a query. The
 * operators mean the same as in a filter; docs/guide/queries.md describes them.
 */
export interface FieldQuery<T extends object, Input extends object, V> {
  eq(value: V): ConditionedQuery<T, Input, V>;
  ne(value: V): ConditionedQuery<T, Input, V>;
  gt(value: Operand<V, '$gt'>): ConditionedQuery<T, Input, V>;
  gte(value: Operand<V, '$gte'>): ConditionedQuery<T, Input, V>;
  lt(value: Operand<V, '$lt'>): ConditionedQuery<T, Input, V>;
  lte(value: Operand<V, '$lte'>): ConditionedQuery<T, Input, V>;
  in(values: readonly V[]): ConditionedQuery<T, Input, V>;
  nin(values: readonly V[]): ConditionedQuery<T, Input, V>;
  /** Default true. */
  exists(isThere?: boolean): ConditionedQuery<T, Input, V>;
  contains(value: Operand<V, '$contains'>): ConditionedQuery<T, Input, V>;
  startsWith(text: string): ConditionedQuery<T, Input, V>;
  endsWith(text: string): ConditionedQuery<T, Input, V>;
  regex(pattern: string | RegExp): ConditionedQuery<T, Input, V>;
  size(items: number): ConditionedQuery<T, Input, V>;
  all(values: Operand<V, '$all'>): ConditionedQuery<T, Input, V>;
  elemMatch(filter: object): ConditionedQuery<T, Input, V>;
  text(words: string): ConditionedQuery<T, Input, V>;
  /** Several operators, as in a filter. */
  fits(operators: FieldOperators<V>): ConditionedQuery<T, Input, V>;
}

type Operand<V, Name extends keyof FieldOperators<V>> = Exclude<FieldOperators<V>[Name], undefined>;

/** A query to whose last path further operators can be added. */
export type ConditionedQuery<T extends object, Input extends object, V> = FluentQuery<T, Input> &
  FieldQuery<T, Input, V>;

/**
 * A query that is built step by step, and stands for a filter and options of `find`. Each step returns a new query, so one can
 * be kept and extended in several ways. Nothing is checked or read before the last step, which fails as the method of the
 * collection that it stands for.
 */
export interface FluentQuery<T extends object, Input extends object = T> {
  /** Adds a condition on a path. All conditions must hold. */
  where<P extends Path<Input>>(path: P): FieldQuery<T, Input, ValueAt<Input, P>>;
  /** Adds a filter as a condition. */
  and(filter: Filter<Input>): FluentQuery<T, Input>;
  /** Sorts by these paths, in their order; `-` before a path means descending. Replaces an earlier sort. */
  sort(...paths: readonly (Path<Input> | `-${Path<Input>}`)[]): FluentQuery<T, Input>;
  /** Skips the first documents. Default 0. */
  skip(documents: number): FluentQuery<T, Input>;
  /** Maximum number of documents. Default: all; 100 for `page`. */
  limit(documents: number): FluentQuery<T, Input>;
  /** Starts after a page: takes its `next`. */
  after(token: string): FluentQuery<T, Input>;
  /** The documents, as `find` returns them. */
  toArray(options?: ReadOptions): Promise<T[]>;
  /** Keys and documents, as `findEntries` returns them. */
  entries(options?: ReadOptions): Promise<[key: string, value: T][]>;
  /** Keys and the members of the documents at these paths, as `findFields` returns them. */
  fields(paths: readonly Path<Input>[], options?: ReadOptions): Promise<[key: string, value: Document][]>;
  /** The first document; undefined if there is none. */
  first(options?: ReadOptions): Promise<T | undefined>;
  /** One page, as `findPage` returns it. */
  page(options?: ReadOptions): Promise<Page<T>>;
  /** The number of matching documents. Ignores `sort`, `skip`, `limit` and `after`. */
  count(options?: WaitOptions): Promise<number>;
  /** How the query would run, as `explain` of the collection returns it. */
  explain(): Promise<QueryPlan>;
  /** The conditions as one filter. */
  toFilter(): Filter<Input>;
}

/** Starts a fluent query. */
export function fluentQuery<T extends object, Input extends object>(
  target: QueryTarget<T, Input>,
): FluentQuery<T, Input> {
  return new Steps<T, Input>(target, NOTHING, undefined) as unknown as FluentQuery<T, Input>;
}

const OPERATORS = {
  eq: '$eq',
  ne: '$ne',
  gt: '$gt',
  gte: '$gte',
  lt: '$lt',
  lte: '$lte',
  in: '$in',
  nin: '$nin',
  contains: '$contains',
  startsWith: '$startsWith',
  endsWith: '$endsWith',
  regex: '$regex',
  size: '$size',
  all: '$all',
  elemMatch: '$elemMatch',
  text: '$text',
} as const;

/** The operators in OPERATORS are added to its prototype below. */
class Steps<T extends object, Input extends object> {
  readonly #target: QueryTarget<T, Input>;
  readonly #parts: Parts;
  readonly #path: string | undefined;

  constructor(target: QueryTarget<T, Input>, parts: Parts, path: string | undefined) {
    this.#target = target;
    this.#parts = parts;
    this.#path = path;
  }

  where(path: string): Steps<T, Input> {
    return new Steps(this.#target, this.#parts, path);
  }

  fits(operators: object): Steps<T, Input> {
    if (this.#path === undefined) throw new TypeError('name a path with where() before you say what holds there');
    const conditions = [...this.#parts.conditions, { [this.#path]: operators }];
    return new Steps(this.#target, { ...this.#parts, conditions }, this.#path);
  }

  exists(isThere = true): Steps<T, Input> {
    return this.fits({ $exists: isThere });
  }

  and(filter: object): Steps<T, Input> {
    return this.#with({ conditions: [...this.#parts.conditions, filter] });
  }

  sort(...paths: readonly string[]): Steps<T, Input> {
    return this.#with({ sort: Object.fromEntries(paths.map(toSortField)) });
  }

  skip(skip: number): Steps<T, Input> {
    return this.#with({ skip });
  }

  limit(limit: number): Steps<T, Input> {
    return this.#with({ limit });
  }

  after(after: string): Steps<T, Input> {
    return this.#with({ after });
  }

  toArray(options?: ReadOptions): Promise<T[]> {
    return this.#target.find(this.toFilter(), { ...this.#options(), ...options });
  }

  entries(options?: ReadOptions): Promise<[key: string, value: T][]> {
    return this.#target.findEntries(this.toFilter(), { ...this.#options(), ...options });
  }

  fields(paths: readonly string[], options?: ReadOptions): Promise<[string, Document][]> {
    return this.#target.findFields(paths, this.toFilter(), { ...this.#options(), ...options });
  }

  async first(options?: ReadOptions): Promise<T | undefined> {
    const [found] = await this.limit(1).toArray(options);
    return found;
  }

  page(options?: ReadOptions): Promise<Page<T>> {
    return this.#target.findPage(this.toFilter(), { ...this.#options(), ...options });
  }

  count(options?: WaitOptions): Promise<number> {
    return this.#target.count(this.toFilter(), options);
  }

  explain(): Promise<QueryPlan> {
    return this.#target.explain(this.toFilter(), this.#options());
  }

  toFilter(): Filter<Input> {
    const { conditions } = this.#parts;
    return (
      conditions.length === 0 ? {} : conditions.length === 1 ? conditions[0] : { $and: conditions }
    ) as Filter<Input>;
  }

  #with(parts: Partial<Parts>): Steps<T, Input> {
    return new Steps(this.#target, { ...this.#parts, ...parts }, undefined);
  }

  #options(): FindOptions<Input> & { readonly after?: string } {
    const { sort, skip, limit, after } = this.#parts;
    return {
      ...(sort !== undefined && { sort: sort as NonNullable<FindOptions<Input>['sort']> }),
      ...(skip !== undefined && { skip }),
      ...(limit !== undefined && { limit }),
      ...(after !== undefined && { after }),
    };
  }
}

for (const [name, operator] of Object.entries(OPERATORS)) {
  Object.defineProperty(Steps.prototype, name, {
    value(this: Steps<object, object>, operand: unknown) {
      return this.fits({ [operator]: operand });
    },
  });
}

guardMethods(Steps.prototype, {
  toArray: rejecting(0, READ),
  entries: rejecting(0, READ),
  fields: rejecting(1, READ),
  first: rejecting(0, READ),
  page: rejecting(0, READ),
  count: rejecting(0, WAIT),
});

function toSortField(path: string): [path: string, direction: 1 | -1] {
  if (typeof path !== 'string') throw new TypeError('sort takes paths, each a text: sort("-age", "name")');
  return path.startsWith('-') ? [path.slice(1), -1] : [path, 1];
}
