import { hlcToMs } from '../../src/core/clock/index.ts';
import { TIMES } from '../../src/core/config/index.ts';
import { compareBytes, type DocumentKey } from '../../src/core/ids/index.ts';
import { silentLogger } from '../../src/core/logging/index.ts';
import { lww, merge, type Resolver } from '../../src/core/merge/index.ts';
import {
  contextCovers,
  digestOf,
  isSameFingerprint,
  joinLines,
  type VersionBody,
} from '../../src/core/version/index.ts';
import { Replica, versionToken } from '../../src/database/replica/index.ts';
import { memoryStoreFromSnapshot } from '../../src/store/memory/index.ts';
import { createSeededRandom, sampleReplica, sampleVersion } from '../../src/testing/index.ts';
import type { SimNode } from '../node.ts';
import type { Scenario } from './scenario.ts';
import { STOCK, Stage } from './stage.ts';

/** R1, R2, R10 and the small print: what a write says, and which stamp it gets. */
export const WRITE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a digest covers all that a version says',
    // R4, R11: two versions that differ in anything have different digests.
    async play() {
      const plain = sampleVersion(STOCK, 'k', { seq: 7, first: 5 });
      const line = { replica: sampleReplica(2), first: 1, last: 3 };
      const stamp = { path: '/n', replica: sampleReplica(2), seq: 3, hlc: plain.hlc };
      const others: Partial<VersionBody>[] = [
        { replica: sampleReplica(2) },
        { seq: 8 },
        { first: 6 },
        { hlc: (plain.hlc + 1) as VersionBody['hlc'] },
        { context: [line] },
        { context: [{ ...line, last: 4 }] },
        { value: null },
        { value: '{"n":8}' },
        { stamps: [stamp] },
        { format: 1 },
      ];
      const digests = [plain, ...others.map((other) => ({ ...plain, ...other }))].map((body) =>
        Buffer.from(digestOf(STOCK, 'k' as DocumentKey, body)).toString('hex'),
      );
      return new Set(digests).size === digests.length ? [] : ['two versions that differ have one digest'];
    },
  },
  {
    name: 'a write, its knowledge and its sums',
    // R1: row, knowledge and fingerprint are of one moment.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      for (const key of ['a', 'b', 'a', 'c']) stage.put(node, key);
      stage.delete(node, 'b');
      const { knowledge, fingerprint } = node.replica.collection(STOCK);
      const { seq, check } = node.replica.head;
      const known = knowledge.get(node.replica.id);
      const [counted] = node.store.fingerprints(STOCK, [{ after: null, upTo: null }]);
      return [
        ...(known?.seq === seq && known.check === check ? [] : ['own knowledge is not of the newest write']),
        ...(isSameFingerprint(fingerprint, counted!) ? [] : ['the fingerprint is not that of the rows']),
      ];
    },
  },
  {
    name: 'a purged document begins a new line',
    alsoFailsWith: ['knows one less', 'purged too early'],
    // R1: the new row has not seen the writes before the purge.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      stage.delete(node, 'k');
      stage.purge(node);
      stage.put(node, 'k');
      const [version] = stage.versions(node, 'k');
      return version!.first === version!.seq ? [] : [`the line goes on from ${version!.first} across a purge`];
    },
  },
  {
    name: 'a gap between two lines',
    alsoFailsWith: ['context begins one later', 'context ends one earlier'],
    // R1: a version that replaced 1–2 and 5–6 says nothing about 3 and 4.
    async play() {
      const replica = sampleReplica(1);
      const joined = joinLines([
        { replica, first: 5, last: 6 },
        { replica, first: 1, last: 2 },
      ]);
      const covered = [1, 2, 3, 4, 5, 6].filter((seq) => contextCovers(joined, replica, seq)).join();
      return covered === '1,2,5,6' ? [] : [`the context covers ${covered}`];
    },
  },
  {
    name: 'a thousand writes in one millisecond',
    alsoFailsWith: ['stamp of the wall clock alone'],
    // R10: the counter of a stamp runs over into the next millisecond, and never back.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      let last = 0;
      for (let i = 0; i < 2500; i++) {
        stage.put(node, 'k');
        const { hlc, seq } = stage.versions(node, 'k')[0]!;
        if (hlc <= last) return [`write ${seq} has the stamp ${hlc} after ${last}`];
        last = hlc;
      }
      return [];
    },
  },
  {
    name: 'a clock that is set back',
    // R10: stamps continue from the newest one.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'before');
      node.wallOffsetMs = -3_600_000;
      stage.put(node, 'after');
      const [before, after] = ['before', 'after'].map((key) => stage.versions(node, key)[0]!.hlc);
      return after! > before! ? [] : [`the stamps went back from ${before} to ${after}`];
    },
  },
  {
    name: 'a clock that is a little ahead',
    alsoFailsWith: ['stamp of the wall clock alone'],
    // R10: within the allowed drift, stamps follow the newest stamp seen.
    async play() {
      const stage = new Stage();
      const [ahead, node] = [stage.node(), stage.node()];
      ahead.wallOffsetMs = TIMES.clockDriftMsMax / 2;
      stage.put(ahead, 'seen');
      await stage.meet(ahead, node);
      stage.put(node, 'after');
      const [seen, after] = ['seen', 'after'].map((key) => stage.versions(node, key)[0]!.hlc);
      return after! > seen! ? [] : ['a write has an older stamp than one that its author had seen'];
    },
  },
  {
    name: 'a clock half a day ahead',
    alsoFailsWith: [
      'replaced versions stay',
      'context begins one later',
      'context ends one earlier',
      'resume past an unsent version',
    ],
    // R10: its writes arrive, but no other node's stamps follow them. (Stamps that are years ahead would go back by themselves.)
    async play() {
      const stage = new Stage();
      const [ahead, honest] = [stage.node(), stage.node()];
      ahead.wallOffsetMs = 12 * 3_600_000;
      stage.put(ahead, 'k');
      await stage.meet(ahead, honest);
      stage.put(honest, 'other');
      stage.put(honest, 'k');
      const limitMs = stage.cluster.clock.now() + TIMES.clockDriftMsMax;
      const isBeyond = ['other', 'k'].some((key) => stage.versions(honest, key).some((v) => hlcToMs(v.hlc) > limitMs));
      await stage.meet(ahead, honest);
      const isLater = stage.versions(ahead, 'k').every((version) => version.replica === honest.replica.id);
      return [
        ...(isBeyond ? ['an honest node stamps its writes hours ahead'] : []),
        ...(isLater ? [] : ['a later write does not win against a wrong clock']),
      ];
    },
  },
  {
    name: 'a clock that was ten years ahead',
    alsoFailsWith: [
      'context begins one later',
      'context ends one earlier',
      'replaced fields come back',
      'every field stamped',
      'resume past an unsent version',
    ],
    // R10: once other nodes agree with the clock again, a node no longer wins every conflict for ten years. What it writes in
    // sight of its own stamps of that time wins all the same.
    async play() {
      const stage = new Stage();
      const [culprit, honest] = [stage.node({ resolver: merge }), stage.node({ resolver: merge })];
      culprit.wallOffsetMs = 10 * 365 * 86_400_000;
      stage.put(culprit, 'own', { n: 1 });
      stage.put(culprit, 'k', { n: 1 });
      await stage.meet(culprit, honest);
      culprit.wallOffsetMs = 0;
      stage.put(culprit, 'own', { n: 2 });
      stage.put(honest, 'own', { n: 1, other: true });
      stage.put(culprit, 'k', { n: 2 });
      await stage.cluster.advance(1000);
      stage.put(honest, 'k', { n: 3 });
      await stage.meet(culprit, honest);
      const shown = ['own', 'k'].map((key) => JSON.stringify(stage.read(honest, key)));
      return [
        ...(shown[0]?.includes('"n":2') ? [] : [`an older value came back: ${shown[0]}`]),
        ...(shown[1] === '{"n":3}' ? [] : [`the newer write lost: readers see ${shown[1]}`]),
        ...stage.differences(culprit, honest),
      ];
    },
  },
  {
    name: 'a write that has not seen the newest version',
    // Small print: ifVersion compares the set of live versions.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      const key = 'k' as DocumentKey;
      const ifVersion = versionToken(node.replica.get(STOCK, key));
      stage.put(node, 'k');
      const [outcome] = node.replica.write([{ writes: [{ collection: STOCK, key, value: '{}', ifVersion }] }]);
      return outcome!.kind === 'refused' ? [] : ['a write replaced a version that its author had not seen'];
    },
  },
  {
    name: 'a document written twice in a transaction',
    // Small print: only the last write counts, as one write.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      const writes = [1, 2].map((n) => ({ collection: STOCK, key: 'k' as DocumentKey, value: JSON.stringify({ n }) }));
      node.replica.write([{ writes }]);
      const { fingerprint } = node.replica.collection(STOCK);
      return node.replica.seq === 1 && fingerprint.count === 1 ? [] : [`it became ${node.replica.seq} writes`];
    },
  },
  {
    name: 'a seq that may have been acknowledged',
    // R9 at open, durability normal: reserved seqs are not given out again, even if the disk has lost their writes.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      await stage.cluster.advance(100);
      const replica = reopened(node, 1000);
      replica.write([{ writes: [{ collection: STOCK, key: 'k' as DocumentKey, value: '{}' }] }]);
      return replica.seq === 1001 ? [] : [`the name ${replica.seq} is given to a second write`];
    },
  },
  {
    name: 'order by bytes',
    // Small print: by UTF-8 bytes, even where UTF-16 units are ordered differently.
    async play() {
      const names = ['', 'a', 'b', 'ab', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}', 'a\u{1f600}'];
      return names.flatMap((a) =>
        names
          .filter((b) => compareBytes(a, b) !== Buffer.compare(Buffer.from(a), Buffer.from(b)))
          .map((b) => `"${a}" and "${b}" are in the wrong order`),
      );
    },
  },
];

/** The node's disk, opened by another process that finds seqs up to `reservedSeq` reserved. */
function reopened(node: SimNode, reservedSeq: number): Replica {
  const store = memoryStoreFromSnapshot(node.image());
  const { clock, limits } = node;
  const clockDriftMsMax = TIMES.clockDriftMsMax;
  const random = createSeededRandom(2);
  const resolverOf = (): Resolver => lww;
  return new Replica({
    store,
    clock,
    random,
    logger: silentLogger,
    limits,
    clockDriftMsMax,
    resolverOf,
    isSameLife: true,
    reservedSeq,
  });
}
