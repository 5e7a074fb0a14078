/** Steps of a path that the compiler follows; longer paths are checked when the query runs. */
type StepsMax = 5;

/** `StepsLeft[n]` is n - 1: types cannot subtract otherwise. */
type StepsLeft = [never, never, 1, 2, 3, 4];

/** True for a type whose members are not known: `any`, `unknown`, any JSON object, or one without members. */
type IsOpen<T> = 0 extends 1 & T
  ? true
  : unknown extends T
    ? true
    : string extends keyof T
      ? true
      : [T] extends [object]
        ? [keyof T] extends [never]
          ? true
          : false
        : false;

/** Member names that can be a step of a path: `.` separates steps, and `$` starts an operator. */
type Name<K> = K extends string ? (K extends `${string}.${string}` | `$${string}` ? never : K) : never;

type Below<Step extends string, Value, Left extends number> = [Left] extends [never]
  ? never
  : NonNullable<Value> extends infer Held
    ? Path<Held, Left> extends infer Rest extends string
      ? `${Step}.${Rest}`
      : never
    : never;

/**
 * Paths into a document, such as `address.city` or `items.0.price`: members, and items of arrays by index, up to five steps.
 * Any string for a type whose members are not known.
 */
export type Path<T, Left extends number = StepsMax> = T extends unknown
  ? T extends string | number | boolean | bigint | symbol | null | undefined
    ? never
    : IsOpen<T> extends true
      ? string
      : T extends readonly (infer Item)[]
        ? `${number}` | Below<`${number}`, Item, StepsLeft[Left]>
        : T extends object
          ? { [K in keyof T]-?: Name<K> | Below<Name<K>, T[K], StepsLeft[Left]> }[keyof T]
          : never
  : never;

/** The type at a path, without undefined: a filter tests for that with `$exists`. */
export type ValueAt<T, P extends string> = Exclude<Found<T, P>, undefined>;

type Found<T, P extends string> = T extends unknown
  ? T extends null | undefined
    ? never
    : IsOpen<T> extends true
      ? unknown
      : P extends keyof T
        ? T[P]
        : T extends readonly (infer Item)[]
          ? P extends `${number}`
            ? Item
            : P extends `${number}.${infer Rest}`
              ? Found<Item, Rest>
              : never
          : P extends `${infer Step}.${infer Rest}`
            ? Step extends keyof T
              ? Found<T[Step], Rest>
              : never
            : never
  : never;

/** Paths that may hold a number or a counter: all but those to strings, booleans and arrays. */
export type CountablePath<T, P extends string = Path<T>> = P extends unknown
  ? [NonNullable<ValueAt<T, P>>] extends [string | boolean | readonly unknown[]]
    ? never
    : P
  : never;

/** What `$gt`, `$gte`, `$lt` and `$lte` compare: numbers, strings and booleans, each with its own kind. */
export type Ordered<V> = unknown extends V ? string | number | boolean : Extract<V, string | number | boolean>;

/** Operators on one field; if there are several, all must hold. docs/guide/queries.md says what each means. */
export interface FieldOperators<V> {
  readonly $eq?: V;
  readonly $ne?: V;
  readonly $gt?: Ordered<V>;
  readonly $gte?: Ordered<V>;
  readonly $lt?: Ordered<V>;
  readonly $lte?: Ordered<V>;
  readonly $in?: readonly V[];
  readonly $nin?: readonly V[];
  readonly $exists?: boolean;
  readonly $not?: FieldOperators<V>;
  /** An array that contains this item, or a string that contains this string. */
  readonly $contains?: Contained<V>;
  readonly $startsWith?: Where<V, string, string>;
  readonly $endsWith?: Where<V, string, string>;
  /** An array with this number of items. */
  readonly $size?: Where<V, readonly unknown[], number>;
  /** An array that contains each of these items. */
  readonly $all?: readonly ItemOf<V>[];
  /** An array with an item that matches: a filter on its members, or operators on the item itself. */
  readonly $elemMatch?: FieldOperators<ItemOf<V>> | Filter<ItemOf<V>>;
  readonly $regex?: Where<V, string, string | RegExp>;
  /** Flags of the `$regex` in the same object: i, m, s. */
  readonly $options?: string;
  /** Words that must all occur in the string, or in the strings of the array; `so*` matches any word that starts with `so`. */
  readonly $text?: string;
}

/** `Operand` for fields that may hold a `Kind`, otherwise never. */
type Where<V, Kind, Operand> = unknown extends V ? Operand : [Extract<V, Kind>] extends [never] ? never : Operand;
type ItemOf<V> = unknown extends V ? unknown : V extends readonly (infer Item)[] ? Item : never;
type Contained<V> = unknown extends V ? unknown : V extends readonly (infer Item)[] ? Item : Extract<V, string>;

/** A condition on a field: a value that it must equal, or operators. */
export type Condition<V> = V | FieldOperators<V>;

/** Operators on whole filters, and a text search over several paths. */
export interface Combinations<T> {
  readonly $and?: readonly Filter<T>[];
  readonly $or?: readonly Filter<T>[];
  readonly $not?: Filter<T>;
  /** Words that must all occur in the strings at these paths, each at any of them. */
  readonly $text?: { readonly on: readonly Path<T>[]; readonly words: string };
}

/**
 * A filter for documents of this type. The compiler refuses fields that they do not have, and values that a field cannot
 * have. Any object for a type whose members are not known.
 */
export type Filter<T> = IsOpen<T> extends true ? object : FieldConditions<T> & Combinations<T>;

type FieldConditions<T> = { readonly [P in Path<T>]?: Condition<ValueAt<T, P>> } & {
  readonly [P in ItemsPath<T>]?: Condition<ValueAtItems<T, P>>;
};

/**
 * Paths to any item of an array that is a member of the document: `tags[]` and `items[].price`. Arrays further in are checked
 * when the query runs.
 */
export type ItemsPath<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends readonly (infer Item)[]
    ? `${Name<K>}[]` | Below<`${Name<K>}[]`, Item, 3>
    : never;
}[keyof T] &
  string;

type ValueAtItems<T, P extends string> = P extends `${infer K}[]${infer Rest}`
  ? K extends keyof T
    ? NonNullable<T[K]> extends readonly (infer Item)[]
      ? Rest extends `.${infer Below}`
        ? ValueAt<Item, Below>
        : Item
      : never
    : never
  : never;

/** Fields to sort by, in their order: 1 ascending, -1 descending. */
export type Sort<T> = { readonly [P in Path<T>]?: 1 | -1 };
