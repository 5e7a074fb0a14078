/** Steps of a path that the compiler follows; what lies deeper is checked when the query runs. */
type StepsMax = 5;

/** `StepsLeft[n]` is n - 1: the compiler counts no other way. */
type StepsLeft = [never, never, 1, 2, 3, 4];

/** A type whose members are not known: `any`, `unknown`, any JSON object, or one without members. */
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

/** Names that a path can say: `.` parts steps, and `$` begins an operator. */
type Name<K> = K extends string ? (K extends `${string}.${string}` | `$${string}` ? never : K) : never;

type Below<Step extends string, Value, Left extends number> = [Left] extends [never]
  ? never
  : NonNullable<Value> extends infer Held
    ? Path<Held, Left> extends infer Rest extends string
      ? `${Step}.${Rest}`
      : never
    : never;

/**
 * Paths into a document, `address.city` or `items.0.price`: each member, each item of an array by its number, at most five
 * steps deep. Any text for a type whose members are not known.
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

/** What a path leads to; undefined is left out, since a filter asks for it by `$exists`. */
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

/** Paths at which there may be a number, or a counter: all but those of texts, booleans and arrays. */
export type CountablePath<T, P extends string = Path<T>> = P extends unknown
  ? [NonNullable<ValueAt<T, P>>] extends [string | boolean | readonly unknown[]]
    ? never
    : P
  : never;

/** What `$gt` and its kind compare: numbers, texts and booleans, each with its own. */
export type Ordered<V> = unknown extends V ? string | number | boolean : Extract<V, string | number | boolean>;

/** Operators on one field; several are all of them. docs/guide/queries.md says what each means. */
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
  /** An array that holds this item, or a text that holds this one. */
  readonly $contains?: Contained<V>;
  readonly $startsWith?: Where<V, string, string>;
  readonly $endsWith?: Where<V, string, string>;
  /** An array of so many items. */
  readonly $size?: Where<V, readonly unknown[], number>;
  /** An array that holds each of these items. */
  readonly $all?: readonly ItemOf<V>[];
  /** An array with an item that fits: a filter of its members, or operators for the item itself. */
  readonly $elemMatch?: FieldOperators<ItemOf<V>> | Filter<ItemOf<V>>;
  readonly $regex?: Where<V, string, string | RegExp>;
  /** Flags of the `$regex` beside it: i, m, s. */
  readonly $options?: string;
  /** Words that all are in the text, or in the texts of the array; `so*`: any word that begins so. */
  readonly $text?: string;
}

/** Only for fields that may hold a `Kind`. */
type Where<V, Kind, Operand> = unknown extends V ? Operand : [Extract<V, Kind>] extends [never] ? never : Operand;
type ItemOf<V> = unknown extends V ? unknown : V extends readonly (infer Item)[] ? Item : never;
type Contained<V> = unknown extends V ? unknown : V extends readonly (infer Item)[] ? Item : Extract<V, string>;

/** What a field is held against: a value that it equals, or operators. */
export type Condition<V> = V | FieldOperators<V>;

/** Whole filters, combined. */
export interface Combinations<T> {
  readonly $and?: readonly Filter<T>[];
  readonly $or?: readonly Filter<T>[];
  readonly $not?: Filter<T>;
  /** Words that all are in the texts at these paths, each in any of them. */
  readonly $text?: { readonly on: readonly Path<T>[]; readonly words: string };
}

/**
 * A filter over documents of this type: the compiler refuses fields that they do not have and values that a field cannot
 * have. Any object for a type whose members are not known.
 */
export type Filter<T> = IsOpen<T> extends true ? object : FieldConditions<T> & Combinations<T>;

type FieldConditions<T> = { readonly [P in Path<T>]?: Condition<ValueAt<T, P>> } & {
  readonly [P in ItemsPath<T>]?: Condition<ValueAtItems<T, P>>;
};

/** `tags[]` and `items[].price`: any item of an array among the members. Deeper ones are checked when the query runs. */
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
