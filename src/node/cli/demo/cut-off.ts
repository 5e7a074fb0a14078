import { formatTable } from '../format.ts';
import { areEqual, type Cluster, isMeshed, waitUntil } from './cluster.ts';
import type { DemoNode } from './demo-node.ts';
import { PLACES } from './fill.ts';
import type { Place, PlaceSet } from './places.ts';
import type { Screen } from './screen.ts';

/** How many places both sides change while they are disconnected: half of them in the same field, half in different fields. */
const CONFLICTS = 20;
/** How many places the office deletes meanwhile. */
const DELETIONS = 10;

export interface CutOffReport {
  /** Documents that both sides changed while they were disconnected. */
  readonly conflicts: number;
  /** Those that have the expected value on every node in the end. */
  readonly resolvedAsExpected: number;
  /** Losing changes that the conflict ledger of every node lists. */
  readonly losersListed: number;
  readonly deletions: number;
  /** Deleted documents that some node still shows. Must be 0. */
  readonly undeleted: number;
  /** From the moment when the node may use the network again until all nodes are equal. */
  readonly healMs: number;
}

/** A place that both sides change, and the fields that each of them writes. */
interface Conflict {
  readonly key: string;
  readonly place: Place;
  readonly office: Readonly<Record<string, string>>;
  readonly till: Readonly<Record<string, string>>;
}

/** Cuts the second till off, changes the same documents on both sides, and reconnects them. */
export async function cutOff(cluster: Cluster, { places }: PlaceSet, screen: Screen): Promise<CutOffReport> {
  const [office, , till] = cluster.nodes;
  await till.setNetworkPaused(true);
  await waitUntil(cluster, ([first, , last]) => last!.connectedPeers === 0 && first!.connectedPeers === 1);
  screen.say(`${till.name} is off the network. Work goes on everywhere.`);
  const conflicts = planConflicts(places);
  const deleted = places.slice(-DELETIONS).map(([key]) => key);
  for (const { key, place, office: fields } of conflicts)
    await office.collection(PLACES).put(key, { ...place, ...fields });
  for (const key of deleted) await office.collection(PLACES).delete(key);
  for (const { key, place, till: fields } of conflicts) await till.collection(PLACES).put(key, { ...place, ...fields });
  const shown = [conflicts[0]!, conflicts.at(-1)!];
  screen.say(`Both sides change the same ${CONFLICTS} places, and the office deletes ${DELETIONS} others:`);
  screen.say(await table(cluster, shown));

  screen.say(`${till.name} is back on the network …`);
  const startMs = cluster.clock.monotonic();
  await till.setNetworkPaused(false);
  await waitUntil(cluster, (statuses) => areEqual(statuses) && isMeshed(statuses));
  const healMs = cluster.clock.monotonic() - startMs;
  screen.say(await table(cluster, shown));
  return {
    conflicts: conflicts.length,
    resolvedAsExpected: await countResolved(cluster, conflicts),
    losersListed: await countListed(cluster, conflicts),
    deletions: deleted.length,
    undeleted: await countShown(cluster, deleted),
    healMs,
  };
}

/** Chooses places over the whole data set with short, plain names that are readable in a table. */
function planConflicts(places: PlaceSet['places']): Conflict[] {
  const readable = places.slice(0, -DELETIONS).filter(([, { name }]) => /^[A-Za-z]{4,12}$/.test(name));
  return Array.from({ length: CONFLICTS }, (_, i) => {
    const [key, place] = readable[Math.floor((i * readable.length) / CONFLICTS)]!;
    const isSameField = i < CONFLICTS / 2;
    return isSameField
      ? { key, place, office: { hours: '9 to 17' }, till: { hours: '8 to 20' } }
      : { key, place, office: { phone: '555-0142' }, till: { manager: 'Alice' } };
  });
}

/** What each node shows of the changed fields. */
async function table({ nodes }: Cluster, conflicts: readonly Conflict[]): Promise<string> {
  const rows = nodes.map(async (node) => [
    node.name,
    ...(await Promise.all(conflicts.map((conflict) => fieldsText(node, conflict)))),
  ]);
  return formatTable(['', ...conflicts.map(({ place }) => place.name)], await Promise.all(rows));
}

async function fieldsText(node: DemoNode, { key, office, till }: Conflict): Promise<string> {
  const value = await node.collection(PLACES).get(key);
  const fields = new Set([...Object.keys(office), ...Object.keys(till)]);
  const texts = [...fields]
    .filter((field) => value?.[field] !== undefined)
    .map((field) => `${field} ${value?.[field]}`);
  return texts.join(', ');
}

/** In the same field the later write must win, which was the till's; different fields must both be kept. */
async function countResolved({ nodes }: Cluster, conflicts: readonly Conflict[]): Promise<number> {
  let resolved = 0;
  for (const { key, office, till } of conflicts) {
    const expected = Object.entries({ ...office, ...till });
    const values = await Promise.all(nodes.map((node) => node.collection(PLACES).get(key)));
    if (values.every((value) => expected.every(([field, text]) => value?.[field] === text))) resolved++;
  }
  return resolved;
}

/** Where both sides changed the same field, the office's change lost. */
async function countListed({ nodes }: Cluster, conflicts: readonly Conflict[]): Promise<number> {
  const ledgers = await Promise.all(nodes.map((node) => node.conflicts(PLACES)));
  const isListed = ({ key, office }: Conflict, ledger: (typeof ledgers)[number]): boolean =>
    ledger.some((entry) => entry.key === key && entry.loser.value?.hours === office.hours);
  const losers = conflicts.filter(({ office, till }) => 'hours' in office && 'hours' in till);
  return losers.filter((conflict) => ledgers.every((ledger) => isListed(conflict, ledger))).length;
}

async function countShown({ nodes }: Cluster, keys: readonly string[]): Promise<number> {
  let shown = 0;
  for (const key of keys) {
    const values = await Promise.all(nodes.map((node) => node.collection(PLACES).get(key)));
    if (values.some((value) => value !== undefined)) shown++;
  }
  return shown;
}
