/** Random documents, filters, indexes and pages for tests, with few names and values so that they often match. */
import fc from 'fast-check';
import type { JsonValue } from './json.ts';
import { pageToken, parsePageToken } from './page-token.ts';
import type { Query, SortField } from './query.ts';

const NAMES = ['a', 'b', 'c'] as const;
const SCALARS: readonly JsonValue[] = [null, true, false, 0, 1, 2, -1.5, '', 'a', 'ab', 'red sock', 'Réd', '\u{1f600}'];

const scalar = fc.oneof(
  { arbitrary: fc.constantFrom<JsonValue>(0, 1, 'a', 'red sock'), weight: 2 },
  { arbitrary: fc.constantFrom(...SCALARS), weight: 1 },
);
const items = fc.array(fc.oneof(scalar, fc.record({ a: scalar }), fc.record({ b: scalar })), { maxLength: 3 });
const held = fc.oneof(
  { arbitrary: scalar, weight: 5 },
  { arbitrary: items as fc.Arbitrary<JsonValue>, weight: 2 },
  { arbitrary: fc.record({ a: scalar }, { requiredKeys: [] }) as fc.Arbitrary<JsonValue>, weight: 1 },
);

export const documentSamples = fc.record(
  { a: held, b: held, c: held },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonValue>;

const path = fc.oneof(
  { arbitrary: fc.constantFrom<string>(...NAMES), weight: 6 },
  { arbitrary: fc.constantFrom('a.a', 'b.a', 'a[]', 'b[]', 'a[].a', 'a.0'), weight: 3 },
);
const bound = fc.constantFrom(true, false, 0, 1, 2, -1.5, '', 'a', 'ab');
const text = fc.constantFrom('', 'a', 'ab', 'red', '\u{1f600}');
const words = fc.constantFrom('red', 'RED sock', 'so*', 'ab');
const operators = fc.oneof(
  fc.record({ $eq: held }),
  fc.record({ $ne: held }),
  fc.record({ $gt: bound }),
  fc.record({ $gte: bound, $lt: bound }),
  fc.record({ $lte: bound }),
  fc.record({ $in: fc.array(held, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(scalar, { maxLength: 2 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $not: fc.record({ $gte: bound }) }),
  fc.record({ $contains: scalar }),
  fc.record({ $startsWith: text }),
  fc.record({ $endsWith: text }),
  fc.record({ $size: fc.nat({ max: 3 }) }),
  fc.record({ $all: fc.array(scalar, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $elemMatch: fc.oneof(fc.record({ $gte: bound, $lte: bound }), fc.record({ a: scalar })) }),
  fc.record({ $regex: fc.constantFrom('^a', 'b$', '[éd]', '.'), $options: fc.constantFrom('', 'i') }),
  fc.record({ $text: words }),
);
const member = fc.tuple(path, fc.oneof({ arbitrary: operators, weight: 3 }, { arbitrary: scalar, weight: 2 }));

/** Filters as users write them. */
export const filterSamples: fc.Arbitrary<object> = fc.letrec<{ filter: object }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    {
      arbitrary: fc.array(member, { minLength: 1, maxLength: 2 }).map((members) => Object.fromEntries(members)),
      weight: 8,
    },
    { arbitrary: fc.record({ $text: fc.record({ on: fc.constant(['a', 'b']), words }) }), weight: 1 },
    { arbitrary: fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }), weight: 1 },
    { arbitrary: fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }), weight: 1 },
    { arbitrary: fc.record({ $not: tie('filter') }), weight: 1 },
    {
      arbitrary: fc
        .array(fc.constantFrom<object>({ a: 1 }, { a: { $lt: 1 } }, { a: 'a', b: 1 }, { a: { $gte: 0, $lte: 2 } }), {
          maxLength: 3,
          minLength: 1,
        })
        .map(($or) => ({ $or })),
      weight: 1,
    },
  ),
})).filter;

const partial = fc.oneof(
  { arbitrary: fc.constant({}), weight: 4 },
  {
    arbitrary: fc.record({ where: fc.constantFrom({ b: { $gte: 0 } }, { c: true }, { b: { $exists: true } }) }),
    weight: 1,
  },
);

/** Indexes as users write them. */
export const indexSamples: fc.Arbitrary<object> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<object>({ on: 'a' }, { on: 'b' }, { on: ['a', 'b'] }, { on: ['b', 'c', 'a'] }, { on: 'a.a' }),
      fc.constantFrom<object>({ on: 'a[]' }, { on: 'b', multi: true }, { on: 'a[].a' }),
      fc.constantFrom<object>({ on: ['a', 'b'], fullText: true }, { on: 'a', fullText: true }),
    ),
    partial,
  )
  .map(([spec, where]) => ({ ...spec, ...where }));

const sortField = fc.record({
  path: fc.constantFrom(['a'], ['b'], ['c'], ['a', 'a']),
  descending: fc.boolean(),
}) as fc.Arbitrary<SortField>;

type Page = (query: Query, documents: readonly { readonly key: string; readonly value: JsonValue }[]) => Query;

/** Functions that give a query a sort, skip and limit, and sometimes a place to continue after. */
export const pageSamples: fc.Arbitrary<Page> = fc
  .record({
    sort: fc.array(sortField, { maxLength: 3 }),
    skip: fc.oneof(fc.constant(0), fc.nat({ max: 3 })),
    limit: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat({ max: 5 })),
    after: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
  })
  .map(({ sort, skip, limit, after }) => (query, documents) => {
    const place = after === undefined ? undefined : documents[after];
    const page = { ...query, sort, skip, limit };
    if (place === undefined) return page;
    return { ...page, after: parsePageToken(pageToken(sort, place.key, place.value), sort) };
  });
