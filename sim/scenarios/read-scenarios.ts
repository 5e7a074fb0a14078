import type { DocumentKey } from '../../src/core/ids/index.ts';
import { counterValue, incrementCounter, lww, merge, type Resolver } from '../../src/core/merge/index.ts';
import type { JsonObject, JsonValue } from '../../src/core/query/index.ts';
import { sampleReplica, sampleVersion } from '../../src/testing/index.ts';
import type { SimNode } from '../node.ts';
import type { Scenario } from './scenario.ts';
import { STOCK, Stage } from './stage.ts';

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** R3 and field-level merge: what readers see. */
export const READ_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a delete removes what its author had seen',
    alsoFailsWith: ['resume past an unsent version'],
    // R3: it removes nothing else; a concurrent write survives.
    async play() {
      const stage = new Stage();
      const [a, b] = [stage.node(), stage.node()];
      stage.put(a, 'k');
      await stage.meet(a, b);
      stage.delete(a, 'k');
      stage.put(b, 'k', { by: 'b' });
      await stage.meet(a, b);
      return expected(stage, [a, b], 'k', { by: 'b' });
    },
  },
  {
    name: 'a resolver that throws',
    alsoFailsWith: ['tie-break dropped'],
    // R3: lww takes its place.
    async play() {
      const resolver: Resolver = {
        name: 'thrower',
        revision: 1,
        resolve: () => {
          throw new Error('thrown by the resolver of a scenario');
        },
      };
      const stage = new Stage();
      const [a, b] = [stage.node({ resolver }), stage.node({ resolver })];
      stage.put(a, 'k');
      stage.put(b, 'k', { by: 'b' });
      await stage.meet(a, b);
      const { versions } = a.replica.get(STOCK, 'k' as DocumentKey)!;
      return expected(stage, [a, b], 'k', JSON.parse(lww.resolve(versions)));
    },
  },
  {
    name: 'a resolver that answers with no object',
    alsoFailsWith: ['tie-break dropped'],
    // R3: lww takes its place.
    async play() {
      const resolver: Resolver = { name: 'lister', revision: 1, resolve: () => '[1]' };
      const stage = new Stage();
      const [a, b] = [stage.node({ resolver }), stage.node({ resolver })];
      stage.put(a, 'k');
      stage.put(b, 'k');
      await stage.meet(a, b);
      const { versions } = a.replica.get(STOCK, 'k' as DocumentKey)!;
      return expected(stage, [a, b], 'k', JSON.parse(lww.resolve(versions)));
    },
  },
  {
    name: 'a resolver that was changed',
    // R3: documents with siblings are resolved again.
    async play() {
      let revision = 1;
      const resolver: Resolver = {
        name: 'first-or-last',
        get revision() {
          return revision;
        },
        resolve: (siblings) => siblings.at(revision === 1 ? -1 : 0)!.value!,
      };
      const stage = new Stage();
      const [a, b] = [stage.node({ resolver }), stage.node({ resolver })];
      stage.put(a, 'k', { by: 'a' });
      await stage.cluster.advance(10);
      stage.put(b, 'k', { by: 'b' });
      await stage.meet(a, b);
      revision = 2;
      for (const collection of a.replica.staleValues.collections())
        a.replica.staleValues.resolveAgain(collection, null, 100);
      return expected(stage, [a], 'k', { by: 'a' });
    },
  },
  {
    name: 'a resolver that was changed and taken back',
    alsoFailsWith: ['changed resolver changes nothing', 'sent before durable', 'acknowledged before durable'],
    // R3: values that another resolver made, for a page or for what came meanwhile, are made again; so is a page that a failed
    // flush took back.
    async play() {
      const choice = { at: -1, name: 'last' };
      const resolver: Resolver = {
        get name() {
          return choice.name;
        },
        revision: 1,
        resolve: (siblings) => siblings.at(choice.at)!.value!,
      };
      const stage = new Stage();
      const [a, b] = [stage.node({ resolver }), stage.node({ resolver })];
      const keys = ['k1', 'k2', 'k3', 'k4'];
      for (const key of keys) stage.put(a, key, { by: 'a' });
      await stage.cluster.advance(10);
      for (const key of keys) stage.put(b, key, { by: 'b' });
      await stage.meet(a, b);
      const choose = (at: number, name: string): void => void Object.assign(choice, { at, name });
      const resolveAll = (first: DocumentKey | null): void => {
        for (const collection of a.replica.staleValues.collections())
          for (let after = a.replica.staleValues.resolveAgain(collection, first, 2); after !== null; )
            after = a.replica.staleValues.resolveAgain(collection, after, 2);
      };
      choose(0, 'first');
      a.replica.staleValues.resolveAgain(STOCK, null, 2);
      choose(-1, 'last');
      resolveAll(null);
      const wrong = keys.flatMap((key) => expected(stage, [a], key, { by: 'b' }));
      choose(0, 'first');
      const after = a.replica.staleValues.resolveAgain(STOCK, null, 2);
      a.store.failFlushes(1);
      await a.replica.flush().catch(() => {});
      resolveAll(after);
      return [...wrong, ...keys.flatMap((key) => expected(stage, [a], key, { by: 'a' }))];
    },
  },
  {
    name: 'a field that was replaced knowingly',
    alsoFailsWith: ['context begins one later', 'context ends one earlier'],
    // Field-level merge, rule 1: it never comes back, though its stamp is ten years ahead.
    async play() {
      const { stage, ahead, b, c } = await withFieldsOfAWrongClock();
      stage.put(b, 'k', { price: 'right', name: 'n' });
      stage.put(c, 'k', { price: 'wrong', name: 'n', note: 'hi' });
      await stage.meet(ahead, b, c);
      return expected(stage, [ahead, b, c], 'k', { price: 'right', name: 'n', note: 'hi' });
    },
  },
  {
    name: 'a field that was removed knowingly',
    alsoFailsWith: ['context begins one later', 'context ends one earlier', 'every field stamped'],
    // Field-level merge, rule 1: it stays removed, without stamps for absent fields.
    async play() {
      const { stage, ahead, b, c } = await withFieldsOfAWrongClock();
      stage.put(b, 'k', { price: 'wrong' });
      stage.put(c, 'k', { price: 'wrong', name: 'n', note: 'hi' });
      await stage.meet(ahead, b, c);
      return expected(stage, [ahead, b, c], 'k', { price: 'wrong', note: 'hi' });
    },
  },
  {
    name: 'two fields that change at once',
    alsoFailsWith: ['resume past an unsent version'],
    // Field-level merge: a write stamps only what it changed.
    async play() {
      const stage = new Stage();
      const [a, b] = [stage.node({ resolver: merge }), stage.node({ resolver: merge })];
      stage.put(a, 'k', { x: 1, y: 1 });
      await stage.meet(a, b);
      stage.put(a, 'k', { x: 2, y: 1 });
      await stage.cluster.advance(10);
      stage.put(b, 'k', { x: 1, y: 2 });
      await stage.meet(a, b);
      return expected(stage, [a, b], 'k', { x: 2, y: 2 });
    },
  },
  {
    name: 'counters that count at once',
    alsoFailsWith: ['resume past an unsent version', 'own limits on what others wrote'],
    // Field-level merge: each replica has an entry of its own.
    async play() {
      const stage = new Stage();
      const [a, b] = [stage.node({ resolver: merge }), stage.node({ resolver: merge })];
      for (const by of [1, 10, 100]) {
        for (const node of [a, b]) count(stage, node, by);
        await stage.meet(a, b);
      }
      count(stage, a, 1000);
      await stage.meet(a, b);
      const counts = [a, b].map((node) => counterValue(visits(stage, node)));
      return counts.every((sum) => sum === 1222)
        ? []
        : [`two nodes counted to 1222, and it became ${counts.join(' and ')}`];
    },
  },
  {
    name: 'a counter that cannot count further',
    // Field-level merge: an overflow is refused, not written as null.
    async play() {
      const full = incrementCounter(undefined, sampleReplica(1), 1, Number.MAX_VALUE);
      try {
        incrementCounter(full, sampleReplica(1), 2, Number.MAX_VALUE);
      } catch (error) {
        return error instanceof RangeError ? [] : [`it throws ${String(error)}`];
      }
      return ['a counter counted beyond all numbers'];
    },
  },
  {
    name: 'a version of another format',
    // Small print: kept raw and relayed, not shown.
    async play() {
      const stage = new Stage();
      const [node, other] = [stage.node(), stage.node()];
      stage.carry(sampleVersion(STOCK, 'k', { replica: sampleReplica(9), format: 7 }), 'k', node);
      await stage.meet(node, other);
      return [
        ...[node, other].filter((n) => stage.read(n, 'k') !== null).map((n) => `${n.key} shows what it cannot read`),
        ...stage.lacking([node, other], 'k'),
      ];
    },
  },
  {
    name: 'a document above the limits of a node on its way',
    // Limits bound what a node writes. It holds what others wrote: its claims say so, and others rely on them.
    async play() {
      const stage = new Stage();
      const small = stage.node({ limits: { documentBytesMax: 50, documentDepthMax: 2 } });
      const [author, third] = [stage.node(), stage.node()];
      stage.put(author, 'large', { text: 'x'.repeat(100) });
      stage.put(author, 'deep', { a: { b: { c: 1 } } });
      await stage.meet(author, small);
      await stage.meet(small, third);
      return [...stage.lacking([small, third], 'large'), ...stage.lacking([small, third], 'deep')];
    },
  },
  {
    name: 'a text that is no document',
    // Small print: it is set aside for its user to see.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.carry({ ...sampleVersion(STOCK, 'broken'), value: '{"a":1.0}' }, 'broken', node);
      const isNoted = node.store.entries('quarantine', 0, 10).length === 1;
      return [
        ...(stage.has(node, 'broken') ? ['a node holds a text that is no document'] : []),
        ...(isNoted ? [] : ['no word of a text that was refused']),
      ];
    },
  },
];

/** A problem for each of these nodes that shows something else than `value`. */
function expected(stage: Stage, nodes: readonly SimNode[], key: string, value: object): string[] {
  const text = (of: unknown): string => JSON.stringify(Object.entries(of ?? {}).sort());
  return nodes
    .filter((node) => text(stage.read(node, key)) !== text(value))
    .map((node) => `${node.key} shows ${JSON.stringify(stage.read(node, key))}, not ${JSON.stringify(value)}`);
}

/** Three nodes that have seen a document that one of them wrote with a clock ten years ahead. */
async function withFieldsOfAWrongClock(): Promise<{ stage: Stage; ahead: SimNode; b: SimNode; c: SimNode }> {
  const stage = new Stage();
  const [ahead, b, c] = [0, 1, 2].map(() => stage.node({ resolver: merge })) as [SimNode, SimNode, SimNode];
  ahead.wallOffsetMs = TEN_YEARS_MS;
  stage.put(ahead, 'k', { price: 'wrong', name: 'n' });
  await stage.meet(ahead, b, c);
  return { stage, ahead, b, c };
}

function visits(stage: Stage, node: SimNode): JsonValue | undefined {
  return (stage.read(node, 'k') as JsonObject | null)?.visits;
}

function count(stage: Stage, node: SimNode, by: number): void {
  const { id, seq } = node.replica;
  stage.put(node, 'k', { visits: incrementCounter(visits(stage, node), id, seq + 1, by) });
}
