import type { DocumentKey } from '../../src/core/ids/index.ts';
import { isSameFingerprint } from '../../src/core/version/index.ts';
import type { Message } from '../../src/net/messages/index.ts';
import { SIM_TIMES, type SimNode } from '../node.ts';
import type { Scenario } from './scenario.ts';
import { STOCK, Stage } from './stage.ts';

const isClaim = ({ kind }: Message): boolean => kind === 'claim';

/** Some rounds after the start of a session, at a moment when the next one is not yet due. */
const BETWEEN_ROUNDS_MS = 5 * SIM_TIMES.syncIntervalMs + 300;

/** Limits under which gaps are searched for as soon as a row is held that knowledge does not cover. */
const SEARCHING = { limits: { gapVersionsMin: 1, rangeListMax: 4 } };

/** R4 and R8: rounds that are cut, turns, and live streams. */
export const ROUND_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a summary of what is not durable',
    alsoFailsWith: ['sent before durable', 'acknowledged before durable'],
    // R1: a peer that finds the summary equal to its own takes it for a receipt.
    async play() {
      const { stage, author, slow } = await withSlowDisk();
      slow.disk.delayMs = 3_600_000;
      stage.put(author, 'k');
      bringAll(stage, author, slow.node);
      await stage.join([author, slow.node], 5_000);
      return earlyReceipts(stage, slow.node, author);
    },
  },
  {
    name: 'a question that tells what is not durable',
    alsoFailsWith: ['sent before durable', 'acknowledged before durable'],
    // R1: the knowledge in a question counts as a receipt.
    async play() {
      const { stage, author, slow } = await withSlowDisk();
      stage.put(author, 'k');
      stage.cue(
        slow.node,
        ({ kind }) => kind === 'summary',
        () => {
          slow.disk.delayMs = 3_600_000;
          bringAll(stage, author, slow.node);
        },
      );
      await stage.join([author, slow.node], 5_000);
      return earlyReceipts(stage, slow.node, author);
    },
  },
  {
    name: 'knowledge alone differs',
    // R4: the digest covers knowledge too, so the claim follows at once.
    async play() {
      const stage = new Stage();
      const [a, b] = [stage.node(), stage.node()];
      stage.put(a, 'k');
      await stage.meet(a, b);
      b.repair(STOCK, []);
      // By then its sums are recounted.
      await stage.part();
      await stage.meet(a, b);
      const seq = b.replica.collection(STOCK).knowledge.get(a.replica.id)?.seq;
      return seq === 1 ? [] : [`a node that forgot what it knows was told of ${seq ?? 'nothing'}`];
    },
  },
  {
    name: 'a resume cursor above what the sender knew',
    // R4: when its stream was cut, the sender held only the author's newest version; it got the older ones later.
    async play() {
      const stage = new Stage();
      const [author, sender, receiver] = [stage.node(), stage.node(), stage.node()];
      for (const key of ['k1', 'k2', 'k3']) stage.put(author, key);
      stage.carry(stage.versions(author, 'k3')[0]!, 'k3', sender);
      stage.deafen(receiver, isClaim);
      await stage.meet(sender, receiver);
      stage.deafen(receiver);
      await stage.meet(author, sender);
      await stage.meet(sender, receiver);
      return [...stage.differences(sender, receiver), ...stage.lacking([receiver], 'k1', 'k2', 'k3')];
    },
  },
  {
    name: 'rows that went after a stream was cut',
    // R4: a receiver that drops or loses rows forgets how far streams came, and gets everything again.
    async play() {
      const stage = new Stage();
      const [sender, receiver] = [stage.node(), stage.node()];
      stage.put(sender, 'k');
      stage.put(sender, 'other');
      stage.deafen(receiver, isClaim);
      await stage.meet(sender, receiver);
      stage.deafen(receiver);
      receiver.store.damage(STOCK, 'k' as DocumentKey);
      receiver.repair(STOCK, ['k' as DocumentKey]);
      await stage.meet(sender, receiver);
      return stage.lacking([receiver], 'k', 'other');
    },
  },
  {
    name: 'a peer that holds all is met while a damaged collection is counted',
    alsoFailsWith: ['damage does not forget'],
    // R11, R4: the peer's claim must not come before the row that was damaged.
    async play() {
      const stage = new Stage();
      const [author, damaged] = [stage.node(), stage.node()];
      for (let i = 0; i < 60; i++) stage.put(author, `k${i}`);
      await stage.meet(author, damaged);
      damaged.store.damage(STOCK, 'k7' as DocumentKey);
      damaged.repair(STOCK, ['k7' as DocumentKey]);
      await stage.join([author, damaged], 100);
      stage.put(author, 'late');
      await stage.meet(author, damaged);
      return stage.lacking([damaged], 'k7', 'late');
    },
  },
  {
    name: 'a node that forgot what it knew compares what it holds',
    alsoFailsWith: ['damage does not forget', 'damage keeps the sums'],
    // R11, R4: everything that differs in any range arrives before the claim that covers it, and so does what the peer writes
    // meanwhile into a range that was already compared.
    async play() {
      const stage = new Stage();
      const [author, damaged] = [stage.node(SEARCHING), stage.node(SEARCHING)];
      for (let i = 0; i < 100; i++) stage.put(author, `k${i}`);
      await stage.meet(author, damaged);
      for (const key of ['k7', 'k77', 'k99'] as DocumentKey[]) damaged.store.damage(STOCK, key);
      damaged.repair(STOCK, ['k7', 'k77', 'k99'] as DocumentKey[]);
      stage.cue(
        damaged,
        ({ kind }) => kind === 'fetch',
        () => stage.put(author, 'behind'),
      );
      await stage.meet(author, damaged);
      const isSearched = stage.sentBy(damaged).some(({ kind }) => kind === 'fetch');
      return [
        ...(isSearched ? [] : ['nothing was compared']),
        ...stage.lacking([damaged], 'k7', 'k77', 'k99', 'behind'),
      ];
    },
  },
  {
    name: 'a damaged collection that changes while it is counted',
    alsoFailsWith: ['damage does not forget'],
    // R11: what is written or received meanwhile is in the sums exactly once.
    async play() {
      const stage = new Stage();
      const [author, damaged] = [stage.node(), stage.node()];
      const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
      for (const key of keys) stage.put(author, key);
      await stage.meet(author, damaged);
      damaged.store.damage(STOCK, 'k7' as DocumentKey);
      damaged.repair(STOCK, ['k7' as DocumentKey]);
      for (const key of keys.filter((_, i) => i !== 7 && i % 2 === 0)) {
        stage.put(damaged, key, key.endsWith('0') ? null : { n: 1 });
        await stage.cluster.advance(1);
      }
      await stage.meet(author, damaged);
      const { fingerprint, documents } = damaged.replica.collection(STOCK);
      const all = damaged.replica.store.fingerprints(STOCK, [{ after: null, upTo: null }])[0]!;
      const visible = keys.filter((key) => stage.has(damaged, key)).length;
      return [
        ...stage.lacking([damaged], 'k7'),
        ...(isSameFingerprint(fingerprint, all) ? [] : ['the fingerprint is not that of the rows']),
        ...(documents === visible ? [] : [`${documents} documents are counted, ${visible} are there`]),
      ];
    },
  },
  {
    name: 'a stream that was cut sends nothing twice',
    alsoFailsWith: ['delta one too short', 'cursor past an unsent version'],
    // R4: it resumes where it was cut.
    async play() {
      const stage = new Stage();
      const [sender, receiver] = [stage.node({ limits: { messageVersionsMax: 5 } }), stage.node()];
      for (let i = 0; i < 20; i++) stage.put(sender, `k${i}`);
      let heard = 0;
      stage.deafen(receiver, ({ kind }) => kind === 'claim' || (kind === 'versions' && ++heard > 2));
      await stage.meet(sender, receiver);
      stage.deafen(receiver);
      const before = versionsSent(stage, sender);
      await stage.meet(sender, receiver);
      const again = versionsSent(stage, sender) - before;
      return again === 10 ? [] : [`10 of 20 documents had arrived, and ${again} were sent then`];
    },
  },
  {
    name: 'a sender that was rolled back after its stream was cut',
    alsoFailsWith: ['delta one too short', 'cursor past an unsent version'],
    // R4, R9: since then it wrote something else under dots that it had already sent.
    async play() {
      const stage = new Stage();
      const [sender, receiver] = [stage.node({ limits: { messageVersionsMax: 5 } }), stage.node()];
      stage.put(sender, 'first');
      const image = sender.image();
      for (let i = 0; i < 20; i++) stage.put(sender, `k${i}`);
      stage.deafen(receiver, isClaim);
      await stage.meet(sender, receiver);
      stage.deafen(receiver);
      stage.rollBack(sender, image);
      const keys = Array.from({ length: 20 }, (_, i) => `other${i}`);
      for (const key of keys) stage.put(sender, key);
      // The receiver finds the fork, which ends the connection.
      await stage.meet(sender, receiver);
      await stage.meet(sender, receiver);
      return stage.lacking([receiver], ...keys);
    },
  },
  {
    name: 'a live write is claimed soon',
    // R8: a claim follows after 100 ms.
    async play() {
      const stage = new Stage();
      const [a, b] = [stage.node(), stage.node()];
      stage.put(a, 'k');
      await stage.join([a, b], BETWEEN_ROUNDS_MS);
      stage.put(a, 'k');
      await stage.cluster.advance(500);
      const seq = b.replica.collection(STOCK).knowledge.get(a.replica.id)?.seq;
      return seq === 2 ? [] : [`half a second after write 2, the peer knows of ${seq}`];
    },
  },
  {
    name: 'what came from a peer is not sent back to it',
    // R8: even if it came while the node still had much of its own to send.
    async play() {
      const stage = new Stage();
      const limits = { sessionCreditBytes: 200, messageVersionsMax: 2, messageBytesMax: 200 };
      const [a, b] = [stage.node({ limits }), stage.node({ limits })];
      stage.put(a, 'first');
      await stage.join([a, b]);
      for (let i = 0; i < 50; i++) for (const node of [a, b]) stage.put(node, `${node.key}-${i}`);
      await stage.cluster.advance(10_000);
      const sent = versionsSent(stage, a) + versionsSent(stage, b);
      return sent <= 101 ? [] : [`101 documents were sent as ${sent} versions`];
    },
  },
  {
    name: 'a newcomer fetches from one peer at a time',
    alsoFailsWith: ['delta one too short', 'cursor past an unsent version'],
    // R4, R5: one round per collection at a time, over all sessions.
    async play() {
      const stage = new Stage();
      const limits = { messageVersionsMax: 16 };
      const [a, b, newcomer] = [stage.node({ limits }), stage.node({ limits }), stage.node({ limits })];
      for (let i = 0; i < 50; i++) stage.put(a, `k${i}`);
      await stage.meet(a, b);
      const before = versionsSent(stage, a) + versionsSent(stage, b);
      await stage.meet(a, b, newcomer);
      const sent = versionsSent(stage, a) + versionsSent(stage, b) - before;
      return sent === 50 ? [] : [`a newcomer was sent ${sent} versions of 50 documents`];
    },
  },
  {
    name: 'a peer that makes no progress',
    // R4: it loses its turn, so that it holds up nobody.
    async play() {
      const stage = new Stage();
      const [stuck, newcomer, other] = [stage.node(), stage.node(), stage.node()];
      stage.put(stuck, 'k');
      await stage.meet(stuck, other);
      stage.deafen(newcomer, (message) => isClaim(message) || message.kind === 'versions');
      await stage.join([stuck, newcomer], 1_000);
      stage.deafen(newcomer);
      await stage.join([newcomer, other], 60_000);
      return stage.lacking([newcomer], 'k');
    },
  },
  {
    name: 'a peer that confirms nothing',
    // I7: what travels unacknowledged is bounded.
    async play() {
      const stage = new Stage();
      const sender = stage.node({ limits: { sessionCreditBytes: 1000, messageBytesMax: 500 } });
      const receiver = stage.node();
      for (let i = 0; i < 200; i++) stage.put(sender, `k${i}`);
      stage.deafen(sender, ({ kind }) => kind === 'ack');
      await stage.join([sender, receiver], 3_000);
      const sent = versionsSent(stage, sender);
      return sent > 0 && sent < 200 ? [] : [`${sent} of 200 versions were sent to a peer that confirmed none`];
    },
  },
];

function versionsSent(stage: Stage, node: SimNode): number {
  return stage
    .sentBy(node)
    .reduce((sum, message) => sum + (message.kind === 'versions' ? message.versions.length : 0), 0);
}

interface SlowNode {
  readonly node: SimNode;
  readonly disk: { delayMs: number };
}

/** Two nodes that hold one write; the disk of the second can be made slow. */
async function withSlowDisk(): Promise<{ stage: Stage; author: SimNode; slow: SlowNode }> {
  const stage = new Stage();
  const disk = { delayMs: 1 };
  const [author, node] = [stage.node(), stage.node({ diskDelayMs: () => disk.delayMs })];
  stage.put(author, 'k');
  await stage.meet(author, node);
  return { stage, author, slow: { node, disk } };
}

/** Brings what the author wrote to `k` outside any session, together with its claim. */
function bringAll(stage: Stage, author: SimNode, to: SimNode): void {
  const { knowledge, purged } = author.replica.collection(STOCK);
  stage.carry(stage.versions(author, 'k')[0]!, 'k', to);
  to.replica.applyRemote([], [{ collection: STOCK, knowledge, purged, liveSet: undefined }], {});
}

function earlyReceipts(stage: Stage, node: SimNode, author: SimNode): string[] {
  const seq = stage.confirmedBy(node, author);
  return seq === 1 ? [] : [`write ${seq} is confirmed, and only write 1 is durable`];
}
