import { guardMethods, rejecting } from '../../core/options/index.ts';
import type { QueryPlan } from '../../store/index.ts';
import type { Document, ReadOptions, WaitOptions } from '../document-api.ts';
import { READ, WAIT } from '../option-names.ts';
import type { FieldOperators, Filter, Path, ValueAt } from '../schema/index.ts';
import type { FindOptions, Page } from './query-api.ts';

/** The methods of a collection that a fluent query ends in. */
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

/** What may follow `where(path)`: one operator; then further ones on the same path, or anything else. */
export interface FieldQuery<T extends object, Input extends object, V> {
  eq(value: V): ConditionedQuery<T, Input, V>;
  ne(value: V): ConditionedQuery<T, Input, V>;
  gt(value: Operand<V, '$gt'>): ConditionedQuery<T, Input, V>;
  gte(value: Operand<V, '$gte'>): ConditionedQuery<T, Input, V>;
  lt(value: Operand<V, '$lt'>): ConditionedQuery<T, Input, V>;
  lte(value: Operand<V, '$lte'>): ConditionedQuery<T, Input, V>;
  in(values: readonly V[]): ConditionedQuery<T, Input, V>;
  nin(values: readonly V[]): ConditionedQuery<T, Input, V>;
  exists(isThere?: boolean): ConditionedQuery<T, Input, V>;
  contains(value: Operand<V, '$contains'>): ConditionedQuery<T, Input, V>;
  startsWith(text: string): ConditionedQuery<T, Input, V>;
  endsWith(text: string): ConditionedQuery<T, Input, V>;
  regex(pattern: string | RegExp): ConditionedQuery<T, Input, V>;
  size(items: number): ConditionedQuery<T, Input, V>;
  all(values: Operand<V, '$all'>): ConditionedQuery<T, Input, V>;
  elemMatch(filter: object): ConditionedQuery<T, Input, V>;
  text(words: string): ConditionedQuery<T, Input, V>;
  /** Any operators at once, as in a filter. */
  fits(operators: FieldOperators<V>): ConditionedQuery<T, Input, V>;
}

type Operand<V, Name extends keyof FieldOperators<V>> = Exclude<FieldOperators<V>[Name], undefined>;

/** A query with a last path to which further operators may be added. */
export type ConditionedQuery<T extends object, Input extends object, V> = FluentQuery<T, Input> &
  FieldQuery<T, Input, V>;

/**
 * A query that is put together step by step and becomes the same filter and options as are given to `find`. Each step makes a
 * new query, so that one can be kept and gone on from twice. Nothing is checked or read before the last step.
 */
export interface FluentQuery<T extends object, Input extends object = T> {
  /** One more condition: all of them must hold. */
  where<P extends Path<Input>>(path: P): FieldQuery<T, Input, ValueAt<Input, P>>;
  /** One more condition as a whole filter. */
  and(filter: Filter<Input>): FluentQuery<T, Input>;
  /** By these paths, in their order; a `-` before one: descending. */
  sort(...paths: readonly (Path<Input> | `-${Path<Input>}`)[]): FluentQuery<T, Input>;
  skip(documents: number): FluentQuery<T, Input>;
  limit(documents: number): FluentQuery<T, Input>;
  /** Goes on where a page ended: its `next`. */
  after(token: string): FluentQuery<T, Input>;
  toArray(options?: ReadOptions): Promise<T[]>;
  entries(options?: ReadOptions): Promise<[key: string, value: T][]>;
  /** Only these members of each document. */
  fields(paths: readonly Path<Input>[], options?: ReadOptions): Promise<[key: string, value: Document][]>;
  first(options?: ReadOptions): Promise<T | undefined>;
  page(options?: ReadOptions): Promise<Page<T>>;
  /** Takes no notice of sort, skip and limit. */
  count(options?: WaitOptions): Promise<number>;
  explain(): Promise<QueryPlan>;
  /** The filter that it stands for. */
  toFilter(): Filter<Input>;
}

/** Begins a fluent query. */
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

/** Its operators are added below, one for each name. */
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
    const fields = paths.map((path) => (path.startsWith('-') ? [path.slice(1), -1] : [path, 1]) as [string, 1 | -1]);
    return this.#with({ sort: Object.fromEntries(fields) });
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
