import { hlcToMs } from '../../src/core/clock/index.ts';
import { TIMES } from '../../src/core/config/index.ts';
import type { DocumentKey } from '../../src/core/ids/index.ts';
import { digestOf, type VersionBody } from '../../src/core/version/index.ts';
import { sampleReplica, sampleVersion } from '../../src/testing/index.ts';
import type { Scenario } from './scenario.ts';
import { STOCK, Stage } from './stage.ts';

/** Directed attacks on single rules, from those of sim/model and from what random schedules do not find in time. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'purged during a comparison',
    // ADR 0002 a: what was replaced and purged after T is gone for the receiver; only the line of the claim's own moment
    // makes it tell a third node that still holds it.
    async play() {
      const stage = new Stage();
      const [author, sender, receiver, third] = [stage.node(), stage.node(), stage.node(), stage.node()];
      stage.put(author, 'kept');
      stage.put(author, 'purged');
      await stage.meet(author, sender, receiver, third);
      stage.delete(sender, 'purged');
      stage.purge(sender);
      await stage.meet(sender, third);
      stage.cue(
        sender,
        ({ kind }) => kind === 'ranges',
        () => {
          stage.delete(sender, 'kept');
          stage.purge(sender);
        },
      );
      stage.cue(
        receiver,
        (message) => message.kind === 'check' && message.last && message.versions.length === 0,
        () => stage.cluster.network.dropAllOf(receiver.key),
      );
      await stage.meet(sender, receiver);
      sender.stop();
      await stage.meet(receiver, third);
      return stage.differences(receiver, third);
    },
  },
  {
    name: 'a row comes while the claim travels',
    // ADR 0002 e: a version that another peer brings between the last answer and the claim was never asked about.
    async play() {
      const stage = new Stage();
      const [author, sender, receiver] = [stage.node(), stage.node(), stage.node()];
      stage.put(author, 'k');
      await stage.meet(author, sender);
      const [stale] = stage.versions(author, 'k');
      stage.delete(sender, 'k');
      stage.purge(sender);
      stage.cue(
        sender,
        (message) => message.kind === 'claim' && message.collections.some(({ exchange }) => exchange > 0),
        () => stage.carry(stale!, 'k', receiver),
      );
      await stage.meet(sender, receiver);
      return stage.has(receiver, 'k') ? ['a deleted document is back'] : [];
    },
  },
  {
    name: 'a dropped version breaks the line',
    // R5: the next write has not seen the one before in its row any more.
    async play() {
      const stage = new Stage();
      const [node, other] = [stage.node(), stage.node()];
      stage.put(node, 'k');
      stage.put(other, 'k');
      await stage.meet(node, other);
      const { replica } = node;
      const own = stage.versions(node, 'k').find((version) => version.replica === replica.id)!;
      const dropped = { key: 'k' as DocumentKey, dot: { replica: own.replica, seq: own.seq } };
      const { knowledge, purged } = replica.collection(STOCK);
      const liveSet = { comparedFrom: replica.pos, isConfirmed: () => true, missing: [dropped] };
      replica.applyRemote([], [{ collection: STOCK, knowledge, purged, liveSet }], {});
      stage.put(node, 'k');
      const [next] = stage.versions(node, 'k');
      return next!.first === next!.seq ? [] : [`the line goes on from ${next!.first} to ${next!.seq} across a gap`];
    },
  },
  {
    name: 'twins that wrote in two partitions',
    // R9: each twin has a peer of its own, which knows its writes under the shared name and ignores the other's.
    async play() {
      const stage = new Stage();
      const [original, peer, far] = [stage.node(), stage.node(), stage.node()];
      stage.put(original, 'shared');
      await stage.meet(original, peer, far);
      const twin = stage.twinOf(original);
      stage.put(original, 'of the original');
      stage.put(twin, 'of the twin');
      stage.put(twin, 'of the twin too');
      await stage.meet(original, peer);
      await stage.meet(twin, far);
      await stage.meet(peer, far);
      await stage.meet(original, peer, far, twin);
      await stage.meet(original, peer, far, twin);
      const nodes = [original, peer, far, twin];
      return ['shared', 'of the original', 'of the twin', 'of the twin too'].flatMap((key) =>
        nodes.filter((node) => !stage.has(node, key)).map((node) => `${node.key} lacks the document "${key}"`),
      );
    },
  },
  {
    name: 'a clock ten years ahead',
    // R10: its writes arrive, and nobody's own stamps follow them.
    async play() {
      const stage = new Stage();
      const [ahead, honest] = [stage.node(), stage.node()];
      ahead.wallOffsetMs = 10 * 365 * 86_400_000;
      stage.put(ahead, 'k');
      await stage.meet(ahead, honest);
      stage.put(honest, 'other');
      stage.put(honest, 'k');
      const limitMs = stage.cluster.clock.now() + TIMES.clockDriftMsMax;
      const isBeyond = ['other', 'k'].some((key) => stage.versions(honest, key).some((v) => hlcToMs(v.hlc) > limitMs));
      await stage.meet(ahead, honest);
      const isLater = stage.versions(ahead, 'k').every((version) => version.replica === honest.replica.id);
      return [
        ...(isBeyond ? ['an honest node stamps its writes years ahead'] : []),
        ...(isLater ? [] : ['a later write does not win against a wrong clock']),
      ];
    },
  },
  {
    name: 'an eviction whose beginning was lost',
    // R12: a flush fails after the knowledge went and before it was durable; the rows must stay with it.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      node.replica.flush();
      await stage.cluster.advance(100);
      node.replica.beginEviction(STOCK);
      node.store.failFlushes(1);
      node.replica.flush().catch(() => {});
      await stage.cluster.advance(100);
      node.replica.evictRows(STOCK);
      return stage.has(node, 'k') ? [] : ['a row went although its knowledge stayed'];
    },
  },
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
];
