/**
 * Goal: a document is always readable, whatever a program's resolver does. Method: one resolver for each way to fail.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hlc } from '../clock/index.ts';
import type { DocumentState } from '../document/index.ts';
import { isEntglDbError } from '../errors/index.ts';
import { type CollectionName, type DocumentKey, parseReplicaId } from '../ids/index.ts';
import { EMPTY_CONTEXT, FORMAT_JSON, sealVersion, type Version } from '../version/index.ts';
import { createResolverRegistry, lww, merge, type Resolver, resolveDocument } from './index.ts';

const version = (digit: string, hlc: number, value: string | null, format = FORMAT_JSON): Version =>
  sealVersion('c' as CollectionName, 'k' as DocumentKey, {
    replica: parseReplicaId(digit.repeat(32))!,
    seq: 1,
    first: 1,
    hlc: hlc as Hlc,
    context: EMPTY_CONTEXT,
    value,
    stamps: null,
    format,
  });
const documentOf = (...versions: Version[]): DocumentState => ({ versions, lineFirst: 0, lineReplica: null });
const resolver = (resolve: (siblings: readonly Version[]) => unknown): Resolver => ({
  name: 'own',
  revision: 1,
  resolve: resolve as Resolver['resolve'],
});

const one = version('a', 1, '{"n":1}');
const two = version('b', 2, '{"n":2}');
const tombstone = version('c', 3, null);
const foreign = version('d', 4, '<n>', 7);
const neverCalled = resolver(() => assert.fail('there is nothing to resolve'));

test('without siblings the resolver is not called', () => {
  assert.deepEqual(resolveDocument(documentOf(tombstone), neverCalled), { text: null });
  assert.deepEqual(resolveDocument(documentOf(foreign), neverCalled), { text: null });
  assert.deepEqual(resolveDocument(documentOf(one, tombstone, foreign), neverCalled), { text: '{"n":1}' });
});

test('the resolver receives siblings in order, and its answer is what readers see', () => {
  const joined = resolver((siblings) => `{"all":[${siblings.map(({ value }) => value).join()}]}`);
  assert.deepEqual(resolveDocument(documentOf(one, two, tombstone), joined), { text: '{"all":[{"n":1},{"n":2}]}' });
  assert.deepEqual(resolveDocument(documentOf(one, two), lww), { text: '{"n":2}' });
});

test('when a resolver fails, lww decides and the reason is reported', () => {
  const failing: [resolve: () => unknown, reason: RegExp][] = [
    [() => assert.fail('boom'), /^threw$/],
    [() => undefined, /returned no text/],
    [() => ({ n: 1 }), /returned no text/],
    [() => '', /no document/],
    [() => '[1]', /no document: it is not a JSON object/],
    [() => '{"a":1,"a":2}', /a name twice/],
  ];
  for (const [resolve, reason] of failing) {
    const { text, failed } = resolveDocument(documentOf(one, two), resolver(resolve));
    assert.equal(text, '{"n":2}');
    assert.match(failed?.reason ?? 'did not fail', reason);
  }
});

test('a resolver that modifies its arguments changes no version', () => {
  const changing = resolver((siblings) => {
    const given = siblings as unknown as { value: string }[];
    given[0]!.value = '{"n":3}';
    return given.reverse().pop()!.value;
  });
  const document = documentOf(one, two);
  assert.deepEqual(resolveDocument(document, changing), { text: '{"n":3}' });
  assert.deepEqual(document, documentOf(one, two));
  assert.equal(one.value, '{"n":1}');
});

test('a resolver that takes over 10 ms is reported, and its answer counts: a busy node shows what the others show', () => {
  let now = 0;
  const taking = (ms: number): Resolver =>
    resolver(() => {
      now += ms;
      return '{"n":3}';
    });
  const options = { monotonic: () => now };
  assert.deepEqual(resolveDocument(documentOf(one, two), taking(10), options), { text: '{"n":3}' });
  assert.deepEqual(resolveDocument(documentOf(one, two), taking(11), options), {
    text: '{"n":3}',
    slowMs: 11,
  });
  assert.deepEqual(resolveDocument(documentOf(one, two), taking(11)), { text: '{"n":3}' });
});

test('a collection has the resolver chosen for it', () => {
  const own = resolver(() => '{}');
  const resolverOf = createResolverRegistry({ byCollection: { stock: 'merge', notes: own } });
  assert.equal(resolverOf('stock' as CollectionName), merge);
  assert.equal(resolverOf('notes' as CollectionName), own);
  assert.equal(resolverOf('toString' as CollectionName), lww);
  assert.equal(createResolverRegistry({ default: 'merge' })('x' as CollectionName), merge);
  assert.equal(createResolverRegistry()('x' as CollectionName), lww);
});

test('an invalid resolver is refused', () => {
  const wrong = ['best', 5, null, {}, { ...lww }, { ...lww, name: 'a b' }, { ...lww, name: 'x', revision: 0.5 }];
  for (const choice of wrong) {
    assert.throws(
      () => createResolverRegistry({ byCollection: { stock: choice as Resolver } }),
      (error) => isEntglDbError(error, 'OPTION_INVALID') && /collection "stock"/.test(error.message),
    );
  }
});
