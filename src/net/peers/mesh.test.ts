/**
 * Goal: the mesh is connected whatever its size, stays connected when a node dies or views differ, and no node has many links.
 * Any two nodes that keep a collection are joined through nodes that keep it.
 * Method: the choices of all nodes for every size from 1 to 200, with keys from a printed seed, and a search through the graph;
 * then crowds of which a random part keeps only some of the collections.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom } from '../../testing/index.ts';
import { chooseLinks, type MeshMember, toMeshMember } from './mesh.ts';

const SEED = Number(process.env.ENTGLDB_TEST_SEED ?? 7004);
const FULL = 8;

function createMembers(count: number, seed: number): MeshMember[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, () => toMeshMember(Buffer.from(random.bytes(32)).toString('base64url'), true));
}

/** Members, each of which keeps every collection with this probability. */
function createMixed(count: number, relayShare: number, seed: number): MeshMember[] {
  const random = createSeededRandom(seed);
  return createMembers(count, seed).map((member) => ({ ...member, relaysAll: random.chance(relayShare) }));
}

/** Which of the others each member chooses. */
function choicesOf(members: readonly MeshMember[]): Map<MeshMember, ReadonlySet<string>> {
  return new Map(
    members.map((own) => {
      const others = members.filter((other) => other !== own);
      return [own, chooseLinks(own, others, FULL)];
    }),
  );
}

function forMixedCrowds(check: (members: readonly MeshMember[], what: string) => void): void {
  const random = createSeededRandom(SEED);
  for (let run = 0; run < 200; run++) {
    const n = random.integer(9, 80);
    const share = random.pick([0, 0.05, 0.3, 0.7, 0.95]);
    check(createMixed(n, share, SEED + run), `run ${run}, n = ${n}, share ${share}, seed ${SEED}`);
  }
}

/** Who is linked with whom: a link exists if either end chooses it. `sees` limits the view of a node. */
function buildGraph(
  members: readonly MeshMember[],
  sees: (own: MeshMember, other: MeshMember) => boolean = () => true,
): Map<string, Set<string>> {
  const graph = new Map(members.map((member) => [member.deviceKey, new Set<string>()]));
  for (const own of members) {
    const others = members.filter((other) => other !== own && sees(own, other));
    for (const key of chooseLinks(own, others, FULL)) {
      graph.get(own.deviceKey)!.add(key);
      graph.get(key)!.add(own.deviceKey);
    }
  }
  return graph;
}

function isConnected(graph: ReadonlyMap<string, ReadonlySet<string>>, without?: string): boolean {
  const keys = [...graph.keys()].filter((key) => key !== without);
  const reached = new Set(keys.slice(0, 1));
  for (const key of reached) for (const next of graph.get(key)!) if (next !== without) reached.add(next);
  return reached.size === keys.length;
}

test('up to eight nodes form a full mesh', () => {
  for (let n = 1; n <= FULL; n++) {
    for (const links of buildGraph(createMembers(n, SEED)).values()) assert.equal(links.size, n - 1);
  }
});

test('from 9 to 200 nodes the graph is connected, and each has about log2(n) + 2 links', () => {
  for (let n = 9; n <= 200; n++) {
    const graph = buildGraph(createMembers(n, SEED + n));
    assert.ok(isConnected(graph), `n = ${n}, seed ${SEED}`);
    for (const links of graph.values()) {
      const wanted = Math.log2(n) + 2;
      assert.ok(
        links.size >= wanted - 2.5 && links.size <= wanted + 1.5,
        `${links.size} links at n = ${n}, seed ${SEED}`,
      );
    }
  }
});

test('the choice is symmetric: a chosen node chooses back', () => {
  const members = createMembers(37, SEED);
  const choices = new Map(
    members.map((own) => [
      own.deviceKey,
      chooseLinks(
        own,
        members.filter((other) => other !== own),
        FULL,
      ),
    ]),
  );
  for (const [key, chosen] of choices) for (const other of chosen) assert.ok(choices.get(other)!.has(key));
});

test('the graph stays connected when any one node dies', () => {
  for (const n of [9, 10, 16, 33, 64, 100]) {
    const graph = buildGraph(createMembers(n, SEED + n));
    for (const dead of graph.keys()) assert.ok(isConnected(graph, dead), `n = ${n}, seed ${SEED}`);
  }
});

test('nodes that each do not see a fifth of the others still form a connected graph', () => {
  const random = createSeededRandom(SEED);
  for (let run = 0; run < 100; run++) {
    const n = random.integer(12, 120);
    const graph = buildGraph(createMembers(n, SEED + run), () => !random.chance(0.2));
    assert.ok(isConnected(graph), `run ${run}, n = ${n}, seed ${SEED}`);
  }
});

test('a joining node changes few links', () => {
  const members = createMembers(65, SEED);
  const before = buildGraph(members.slice(1));
  const after = buildGraph(members);
  let lost = 0;
  let all = 0;
  for (const [key, links] of before) {
    for (const other of links) if (!after.get(key)!.has(other)) lost++;
    all += links.size;
  }
  assert.ok(lost / all < 0.25, `${lost} of ${all} (seed ${SEED})`);
});

test('the choice is symmetric even if some nodes keep only some collections', () => {
  forMixedCrowds((members, what) => {
    const keys = new Map(members.map((member) => [member.deviceKey, member]));
    const choices = choicesOf(members);
    for (const [own, chosen] of choices)
      for (const key of chosen) assert.ok(choices.get(keys.get(key)!)!.has(own.deviceKey), what);
  });
});

test('the relaying nodes are connected among themselves, and each other node is linked with three of them', () => {
  forMixedCrowds((members, what) => {
    const relays = new Set(members.filter((member) => member.relaysAll).map((member) => member.deviceKey));
    const among = new Map<string, Set<string>>();
    for (const [own, chosen] of choicesOf(members)) {
      const relaysChosen = new Set([...chosen].filter((key) => relays.has(key)));
      if (own.relaysAll) among.set(own.deviceKey, relaysChosen);
      else assert.equal(relaysChosen.size, Math.min(3, relays.size), what);
    }
    assert.ok(isConnected(among), what);
  });
});

test('a node that keeps only some collections has three links, and a relaying node few beyond those of its rings', () => {
  forMixedCrowds((members, what) => {
    const relays = members.filter((member) => member.relaysAll).length;
    const partials = members.length - relays;
    if (relays === 0) return;
    const ringLinksMax = Math.max(FULL - 1, Math.log2(relays) + 3.5);
    let partialLinks = 0;
    for (const [own, chosen] of choicesOf(members)) {
      if (!own.relaysAll) assert.equal(chosen.size, Math.min(3, relays), what);
      else {
        const extra = [...chosen].filter((key) => members.some((m) => m.deviceKey === key && !m.relaysAll)).length;
        partialLinks += extra;
        assert.ok(chosen.size - extra <= ringLinksMax, `${chosen.size - extra} ring links, ${what}`);
        // Gaps between neighbours on a hash ring are about ln(n) times the mean at most.
        const fair = (3 * partials) / relays;
        assert.ok(extra <= fair * (Math.log(relays) + 3) + 6, `${extra} links to others, fair are ${fair}, ${what}`);
      }
    }
    assert.equal(partialLinks, partials * Math.min(3, relays), what);
  });
});

test('if no node relays everything, they form a full mesh', () => {
  for (const chosen of choicesOf(createMixed(20, 0, SEED)).values()) assert.equal(chosen.size, 19);
});
