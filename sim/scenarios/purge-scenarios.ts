import type { DocumentKey } from '../../src/core/ids/index.ts';
import { sampleReplica, sampleVersion } from '../../src/testing/index.ts';
import type { SimNode } from '../node.ts';
import type { Scenario } from './scenario.ts';
import { STOCK, Stage } from './stage.ts';

/** R5–R7 and ADR 0002: what was purged, and how others learn of it. */
export const PURGE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'purged during a comparison',
    alsoFailsWith: ['purge line not inherited', 'comparison without a purge line'],
    // ADR 0002 a: what was replaced and purged after T is gone at the receiver. Only the purge line of the claim's own moment
    // makes the receiver tell a third node that still holds it.
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
      cutWhenAdopted(stage, receiver);
      await stage.meet(sender, receiver);
      sender.stop();
      await stage.meet(receiver, third);
      return stage.differences(receiver, third);
    },
  },
  {
    name: 'a row comes while the claim travels',
    alsoFailsWith: ['known versions come back', 'live set without drops'],
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
    name: 'an answer before what changed',
    // ADR 0002 f: the sender replaces a version that the receiver is about to ask about, and has no credit to send the new one.
    async play() {
      const stage = new Stage();
      const [sender, receiver] = [stage.node({ limits: { sessionCreditBytes: 200 } }), stage.node()];
      stage.put(sender, 'k');
      stage.put(sender, 'purged');
      await stage.meet(sender, receiver);
      stage.delete(sender, 'purged');
      stage.purge(sender);
      stage.put(sender, 'filler', { text: 'x'.repeat(300) });
      stage.deafen(sender, ({ kind }) => kind === 'ack');
      stage.cue(
        sender,
        ({ kind }) => kind === 'ranges',
        () => stage.put(sender, 'k'),
      );
      await stage.meet(sender, receiver);
      return stage.lacking([receiver], 'k');
    },
  },
  {
    name: 'a tombstone that its sender purged meanwhile',
    alsoFailsWith: ['echo makes siblings', 'context begins one later', 'context ends one earlier'],
    // ADR 0002: the claim covers the tombstone but not all that it replaced, which can still come from elsewhere.
    async play() {
      const stage = new Stage();
      const [author, sender, receiver] = [stage.node(), stage.node(), stage.node()];
      stage.put(author, 'deleted');
      const [stale] = stage.versions(author, 'deleted');
      stage.carry(stale!, 'deleted', receiver);
      stage.delete(receiver, 'deleted');
      await stage.meet(receiver, sender);
      stage.put(sender, 'other');
      stage.carry(stage.versions(sender, 'other')[0]!, 'other', receiver);
      stage.delete(sender, 'other');
      stage.purge(sender);
      stage.cue(
        sender,
        ({ kind }) => kind === 'ranges',
        () => {
          const { knowledge, purged } = author.replica.collection(STOCK);
          sender.replica.applyRemote([], [{ collection: STOCK, knowledge, purged, liveSet: undefined }], {});
          stage.purge(sender);
        },
      );
      cutWhenAdopted(stage, receiver);
      await stage.meet(sender, receiver);
      stage.carry(stale!, 'deleted', receiver);
      await stage.meet(sender, receiver);
      return stage.has(receiver, 'deleted') ? ['a deleted document is back'] : [];
    },
  },
  {
    name: 'a claim that drops much is cut between two slices',
    alsoFailsWith: [
      'no comparison after a purge',
      'live set without drops',
      'comparison without a purge line',
      'purge without a line',
      'purged too early',
    ],
    // ADR 0015: what was dropped is gone for good. Only the purge line makes the receiver tell a third node of it.
    async play() {
      const stage = new Stage();
      const [author, sender, receiver, third] = [
        stage.node(),
        stage.node(),
        stage.node({ limits: SLICE }),
        stage.node(),
      ];
      for (const key of DROPPED) stage.put(author, key);
      await stage.meet(author, sender, receiver, third);
      for (const key of DROPPED) stage.delete(sender, key);
      stage.purge(sender);
      cutAtFirstDrop(stage, receiver);
      await stage.meet(sender, receiver);
      sender.stop();
      const held = DROPPED.filter((key) => stage.has(receiver, key)).length;
      if (held === 0 || held === DROPPED.length) return [`${held} documents are left after one slice`];
      await stage.meet(receiver, third);
      return stage.differences(receiver, third);
    },
  },
  {
    name: 'a version that goes before its claim, and what it replaced',
    alsoFailsWith: ['known versions come back'],
    // ADR 0015: a version whose context is not fully known waits for the claim, or what it replaced could come back.
    async play() {
      const stage = new Stage();
      const [author, sender, receiver] = [stage.node(), stage.node(), stage.node({ limits: SLICE })];
      for (const key of DROPPED) stage.put(author, key);
      const stale = DROPPED.map((key) => stage.versions(author, key)[0]!);
      for (const key of DROPPED) stage.put(author, key);
      for (const key of DROPPED) stage.carry(stage.versions(author, key)[0]!, key, receiver);
      await stage.meet(author, sender);
      for (const key of DROPPED) stage.delete(sender, key);
      stage.purge(sender);
      cutAtFirstDrop(stage, receiver);
      await stage.meet(sender, receiver);
      const isAdopted = receiver.replica.collection(STOCK).knowledge.has(author.replica.id);
      for (const [i, key] of DROPPED.entries()) stage.carry(stale[i]!, key, receiver);
      const isBack = (key: string): boolean =>
        stage
          .versions(receiver, key)
          .some(({ replica, seq }) => replica === stale[0]!.replica && seq <= DROPPED.length);
      return [
        ...DROPPED.filter(isBack).map((key) => `what was replaced in "${key}" is back`),
        ...(isAdopted ? [] : ['the claim was not adopted with the first drop']),
      ];
    },
  },
  {
    name: 'a dropped version breaks the line',
    alsoFailsWith: ['line start forgotten', 'knows one less', 'live set without drops'],
    // R5: the next write no longer saw the previous one in its row.
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
    name: 'own versions, and a sender that does not know my history',
    // R5: versions of my own replica are dropped only if the check of my replica agreed in this session.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      const { replica } = node;
      const dot = { replica: replica.id, seq: 1 };
      const missing = [{ key: 'k' as DocumentKey, dot }];
      const liveSet = { comparedFrom: replica.pos, isConfirmed: () => true, missing };
      const knowledge = new Map([[replica.id, { seq: 1, check: null }]]);
      replica.applyRemote([], [{ collection: STOCK, knowledge, purged: new Map(), liveSet }], {});
      return stage.lacking([node], 'k');
    },
  },
  {
    name: 'a tombstone is kept for its time',
    alsoFailsWith: ['knows one less'],
    // R7: it is purged TombstoneRetentionHours after it arrived, not earlier.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      stage.delete(node, 'k');
      await stage.cluster.advance(4_000);
      const early = node.replica.purge(5_000, 10).purged;
      await stage.cluster.advance(2_000);
      const due = node.replica.purge(5_000, 10).purged;
      return [...(early === 0 ? [] : ['purged too early']), ...(due === 1 ? [] : ['not purged when it was due'])];
    },
  },
  {
    name: 'a tombstone that comes late',
    alsoFailsWith: ['purged too early'],
    // R7: its retention begins when it arrives here, whatever its stamp says.
    async play() {
      const stage = new Stage();
      const [author, node] = [stage.node(), stage.node()];
      stage.put(author, 'k');
      stage.delete(author, 'k');
      await stage.cluster.advance(3_600_000);
      await stage.meet(author, node);
      return node.replica.purge(60_000, 10).purged === 0 ? [] : ['purged as soon as it came'];
    },
  },
  {
    name: 'a tombstone that can never be purged',
    alsoFailsWith: ['knows one less', 'purge of what is not known', 'purged too early'],
    // R7: it holds up no other.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      const context = [{ replica: sampleReplica(8), first: 1, last: 1 }];
      stage.carry(sampleVersion(STOCK, 'stuck', { replica: sampleReplica(9), value: null, context }), 'stuck', node);
      await stage.cluster.advance(1_000);
      stage.put(node, 'k');
      stage.delete(node, 'k');
      let purged = 0;
      for (let pass = 0; pass < 3; pass++) purged += node.replica.purge(-1, 1).purged;
      const isKept = stage.versions(node, 'stuck').length === 1;
      return [
        ...(purged === 1 ? [] : [`${purged} tombstones were purged, not 1`]),
        ...(isKept ? [] : ['the stuck one went']),
      ];
    },
  },
];

/** R5 drops two versions per slice; `DROPPED` fills several slices. */
const SLICE = { messageVersionsMax: 2 };
const DROPPED = ['d1', 'd2', 'd3', 'd4', 'd5', 'd6'];

/** Cuts the receiver's connections at the first commit that drops something. */
function cutAtFirstDrop(stage: Stage, receiver: SimNode): void {
  const stop = receiver.replica.onCommit(({ removed }) => {
    if (!removed.some(({ why }) => why === 'dropped')) return;
    stop();
    stage.cluster.network.dropAllOf(receiver.key);
  });
}

/** Cuts the receiver's connections as soon as it has adopted the result of a comparison. */
function cutWhenAdopted(stage: Stage, receiver: SimNode): void {
  stage.cue(
    receiver,
    (message) => message.kind === 'check' && message.last && message.versions.length === 0,
    () => stage.cluster.network.dropAllOf(receiver.key),
  );
}
