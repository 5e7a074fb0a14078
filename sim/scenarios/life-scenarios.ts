import type { CollectionName, DocumentKey } from '../../src/core/ids/index.ts';
import type { MemorySnapshot } from '../../src/store/memory/index.ts';
import type { SimNode } from '../node.ts';
import type { Scenario } from './scenario.ts';
import { STOCK, Stage } from './stage.ts';

/** R9 and R12: twins, disks that were rolled back, and collections that are no longer wanted. */
export const LIFE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'twins that wrote in two partitions',
    // R9: each twin has a peer of its own, which knows its writes under the shared id and ignores the other twin's.
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
    name: 'a twin that is gone, and what it wrote',
    alsoFailsWith: ['chain not checked', 'new life without writing again'],
    // R9: knowledge of the shared id is lowered, so that the twin's writes can still come from a node that got them.
    async play() {
      const stage = new Stage();
      const [original, far] = [stage.node(), stage.node()];
      stage.put(original, 'shared');
      await stage.meet(original, far);
      const twin = stage.twinOf(original);
      stage.put(original, 'of the original');
      stage.put(twin, 'of the twin');
      await stage.meet(twin, far);
      twin.stop();
      await stage.meet(original, far);
      await stage.meet(original, far);
      return stage.lacking([original, far], 'shared', 'of the original', 'of the twin');
    },
  },
  {
    name: 'twins that never meet, and one who knows both',
    alsoFailsWith: ['chain not checked', 'the other twin is not told', 'resume past an unsent version'],
    // R9 by third parties: both are told while their sessions last.
    async play() {
      const stage = new Stage();
      const [original, between] = [stage.node(), stage.node()];
      stage.put(original, 'shared');
      await stage.meet(original, between);
      const twin = stage.twinOf(original);
      for (const node of [original, twin]) stage.put(node, `of ${node.key}`);
      await stage.join([original, between], 1_000);
      for (let i = 0; i < 2; i++) await stage.join([between, twin], 5_000);
      return [original, twin].filter(({ told }) => told.length === 0).map(({ key }) => `${key} was not told`);
    },
  },
  {
    name: 'a twin whose other learned from a third node that more was written',
    alsoFailsWith: ['the other twin is not told'],
    // R9 by third parties: the other gave the id up without having met it. Its history may be older than what the twin remembers.
    async play() {
      const stage = new Stage();
      const [original, between] = [stage.node(), stage.node()];
      stage.put(original, 'shared');
      await stage.meet(original, between);
      const twin = stage.twinOf(original, { limits: { chainLengthMax: 3 } });
      stage.put(original, 'of the original');
      stage.put(twin, 'of the twin');
      stage.put(twin, 'of the twin too');
      await stage.meet(twin, between);
      await stage.meet(original, between);
      const isEarly = original.told.length === 0 || twin.told.length > 0;
      for (let i = 0; i < 5; i++) stage.put(twin, `later ${i}`);
      await stage.meet(original, twin);
      return isEarly ? ['only the original should have been told'] : stage.untold(original, twin);
    },
  },
  {
    name: 'a twin whose other had a damaged row before they met',
    alsoFailsWith: ['the other twin is not told', 'a fork of a former life is taken for that of others'],
    // R9: knowledge of the shared id, which would contradict the twin, was forgotten with the row. The end of that life is left.
    async play() {
      const { stage, original, twin } = await twinsOfWhichOneHadDamage();
      await stage.meet(original, twin);
      await stage.meet(original, twin);
      return stage.untold(original, twin);
    },
  },
  {
    name: 'a twin whose other had a damaged row, and who meets only one who met the other',
    alsoFailsWith: [
      'chain not checked',
      'the other twin is not told',
      'the end of a life is kept to oneself',
      'a fork of a former life is taken for that of others',
    ],
    // R9 by third parties: what another says of the end of its life is kept for those who still have the id.
    async play() {
      const { stage, original, twin, between } = await twinsOfWhichOneHadDamage();
      await stage.meet(original, between);
      await stage.meet(twin, between);
      await stage.meet(twin, between);
      await stage.meet(original, between);
      return stage.untold(original, twin);
    },
  },
  {
    name: 'a copy that went on alone',
    alsoFailsWith: ['damage keeps the id'],
    // R9: the end of a life is no proof against a node that has the same history.
    async play() {
      const stage = new Stage();
      const [original, between] = [stage.node(), stage.node()];
      stage.put(original, 'shared');
      await stage.meet(original, between);
      const copy = stage.twinOf(original);
      stage.lose(original, 'shared');
      stage.put(copy, 'of the copy');
      await stage.meet(original, between, copy);
      return copy.told.length > 0 ? ['a node that is the only one with its id was told of a twin'] : [];
    },
  },
  {
    name: 'two checks of one write at two nodes that hold neither',
    alsoFailsWith: ['chain not checked'],
    // R9 by third parties: both overwrote what they got, so only the checks in their claims reveal the twins.
    async play() {
      const stage = new Stage();
      const [original, left, right] = [stage.node(), stage.node(), stage.node()];
      stage.put(original, 'shared');
      await stage.meet(original, left, right);
      const twin = stage.twinOf(original);
      stage.put(original, 'k');
      stage.put(twin, 'l');
      await stage.meet(original, left);
      await stage.meet(twin, right);
      twin.stop();
      stage.put(left, 'k');
      stage.put(right, 'l');
      await stage.meet(left, right);
      await stage.meet(original, left);
      return original.told.length === 0 ? ['a node that has a twin was not told'] : [];
    },
  },
  {
    name: 'twins that meet before they write',
    // R9 at meeting: a peer with my own id is my twin, though both know the same.
    async play() {
      const stage = new Stage();
      const original = stage.node();
      stage.put(original, 'k');
      await stage.cluster.advance(100);
      const twin = stage.twinOf(original);
      await stage.join([original, twin], 1_000);
      return original.replica.id === twin.replica.id ? ['two running nodes write under one id'] : [];
    },
  },
  {
    name: 'a disk that fell back, and a peer that has purged its writes',
    // R9 at meeting: knowledge of my replica above my seq is the only trace of what I lost.
    async play() {
      const stage = new Stage();
      const [node, peer] = [stage.node(), stage.node()];
      stage.put(node, 'kept');
      await stage.meet(node, peer);
      const image = node.image();
      stage.put(node, 'purged');
      await stage.meet(node, peer);
      stage.delete(peer, 'purged');
      stage.purge(peer);
      stage.rollBack(node, image);
      await stage.meet(node, peer);
      stage.put(node, 'new');
      await stage.meet(node, peer);
      return stage.lacking([node, peer], 'kept', 'new');
    },
  },
  {
    name: 'a disk that fell back, and a version of its own that comes late',
    // R9 at meeting: a version of mine that I do not know.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      await stage.cluster.advance(100);
      const image = node.image();
      stage.put(node, 'later');
      const [later] = stage.versions(node, 'later');
      stage.rollBack(node, image);
      const outcome = stage.carry(later!, 'later', node);
      return outcome === 'forked' ? [] : [`a version of an own life that is not known here was ${outcome}`];
    },
  },
  {
    name: 'a disk that fell back, and a peer that wrote in sight of what it lost',
    // R9 at meeting: a context that names a write of mine that I do not know.
    async play() {
      const stage = new Stage();
      const [node, peer] = [stage.node(), stage.node()];
      const image = await unclaimedAt(peer, node, stage, 'k');
      stage.put(peer, 'k');
      stage.rollBack(node, image);
      await stage.meet(node, peer);
      return node.told.length === 0 ? ['a node that was rolled back was not told'] : stage.differences(node, peer);
    },
  },
  {
    name: 'a disk that fell back, and one name for two contents of a document',
    alsoFailsWith: [
      'chain not checked',
      'resume of another start',
      'new life without writing again',
      'evidence kept to oneself',
    ],
    // R9: no claim carried a check of the lost write; the peer sees that what arrives is not what it holds.
    async play() {
      const stage = new Stage();
      const [node, peer] = [stage.node(), stage.node()];
      stage.rollBack(node, await unclaimedAt(peer, node, stage, 'k'));
      stage.put(node, 'k');
      await stage.meet(node, peer);
      await stage.meet(node, peer);
      const isEqual = JSON.stringify(stage.read(node, 'k')) === JSON.stringify(stage.read(peer, 'k'));
      return [
        ...(node.told.length === 0 ? ['a node that was rolled back was not told'] : []),
        ...(isEqual ? [] : ['two nodes show two contents of one name']),
      ];
    },
  },
  {
    name: 'a disk that fell back, and one name for writes of two documents',
    alsoFailsWith: [
      'chain not checked',
      'resume past an unsent version',
      'resume of another start',
      'new life without writing again',
      'knowledge of the forked life stays',
      'evidence kept to oneself',
    ],
    // R9: the same, but the new write under the lost dot is of another document.
    async play() {
      const stage = new Stage();
      const [node, peer] = [stage.node(), stage.node()];
      stage.rollBack(node, await unclaimedAt(peer, node, stage, 'k'));
      stage.put(node, 'l');
      await stage.meet(node, peer);
      await stage.meet(node, peer);
      return [
        ...(node.told.length === 0 ? ['a node that was rolled back was not told'] : []),
        ...stage.lacking([node, peer], 'k', 'l'),
      ];
    },
  },
  {
    name: 'a disk that fell back, and one name for writes in two collections',
    alsoFailsWith: ['unknown version of mine taken', 'resume past an unsent version'],
    // R9: what it wrote since has the seq of what was lost, so only the collection shows that the lost write is not its own.
    async play() {
      const stage = new Stage();
      const [node, peer] = [stage.node(), stage.node()];
      stage.rollBack(node, await unclaimedAt(peer, node, stage, 'k'));
      const write = { collection: 'sales' as CollectionName, key: 'l' as DocumentKey, value: '{}' };
      node.replica.write([{ writes: [write] }]);
      for (let i = 0; i < 2; i++) await stage.meet(node, peer);
      return [
        ...(node.told.length === 0 ? ['a node that was rolled back was not told'] : []),
        ...stage.lacking([node, peer], 'k'),
      ];
    },
  },
  {
    name: 'a restored backup whose new id was lost',
    alsoFailsWith: ['acknowledged before durable', 'restored backup keeps its id'],
    // R9 at open: a flush fails before the new id is durable; the old id must not come back.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      await stage.cluster.advance(100);
      const { id } = node.replica;
      node.replaceDisk(node.image());
      node.start();
      node.store.failFlushes(1);
      node.replica.flush().catch(() => {});
      await stage.cluster.advance(100);
      stage.put(node, 'k');
      return node.replica.id === id ? ['a restored backup writes under the id that it came with'] : [];
    },
  },
  {
    name: 'a collection that is not wanted',
    // R12: nothing comes in, neither versions nor knowledge.
    async play() {
      const stage = new Stage();
      const [node, peer] = [stage.node(), stage.node()];
      stage.put(node, 'k');
      await stage.meet(node, peer);
      stage.put(peer, 'k2');
      const [version] = stage.versions(peer, 'k2');
      node.setWanted(STOCK, false);
      stage.carry(version!, 'k2', node);
      const { knowledge, purged } = peer.replica.collection(STOCK);
      node.replica.applyRemote([], [{ collection: STOCK, knowledge, purged, liveSet: undefined }], {});
      const isKnown = node.replica.collection(STOCK).knowledge.has(peer.replica.id);
      return [
        ...(stage.has(node, 'k2') ? ['a version came in'] : []),
        ...(isKnown ? ['knowledge moved'] : []),
        ...stage.lacking([node], 'k'),
      ];
    },
  },
  {
    name: 'an eviction whose beginning was lost',
    alsoFailsWith: ['acknowledged before durable'],
    // R12: the flush that would make the loss of knowledge durable fails; the rows must stay, as the knowledge does.
    async play() {
      const stage = new Stage();
      const node = stage.node();
      stage.put(node, 'k');
      node.replica.flush();
      await stage.cluster.advance(100);
      node.replica.evictions.begin(STOCK);
      node.store.failFlushes(1);
      node.replica.flush().catch(() => {});
      await stage.cluster.advance(100);
      node.replica.evictions.dropRows(STOCK, 1000);
      return stage.has(node, 'k') ? [] : ['a row went although its knowledge stayed'];
    },
  },
];

/** The node writes `key`, and the peer gets the write but no claim of it. Returns the node's disk as it was before. */
async function unclaimedAt(peer: SimNode, node: SimNode, stage: Stage, key: string): Promise<MemorySnapshot> {
  stage.put(node, 'shared');
  await stage.meet(node, peer);
  const image = node.image();
  stage.put(node, key);
  stage.deafen(peer, ({ kind }) => kind === 'claim');
  await stage.join([node, peer], 300);
  await stage.part();
  stage.deafen(peer);
  return image;
}

/** Twins that each wrote, and a node that had met them while they were one. The original has lost what it wrote, and begun another life. */
async function twinsOfWhichOneHadDamage() {
  const stage = new Stage();
  const [original, between] = [stage.node(), stage.node()];
  stage.put(original, 'shared');
  await stage.meet(original, between);
  const twin = stage.twinOf(original);
  stage.put(original, 'of the original');
  stage.put(twin, 'of the twin');
  stage.lose(original, 'of the original');
  return { stage, original, twin, between };
}
