import { formatTable } from '../format.ts';
import { areEqual, type Cluster, isMeshed, waitUntil } from './cluster.ts';
import type { DemoNode } from './demo-node.ts';
import { PLACES } from './fill.ts';
import type { Place, PlaceSet } from './places.ts';
import type { Screen } from './screen.ts';

/** Places that both sides change while they do not see each other: one half in the same field, the other in different ones. */
const CONFLICTS = 20;
/** Places that the office deletes meanwhile. */
const DELETIONS = 10;

export interface CutOffReport {
  /** Documents that both sides changed while they did not see each other. */
  readonly conflicts: number;
  /** Those that have the expected value on every node in the end. */
  readonly resolvedAsExpected: number;
  /** Changes that lost, and stand in the conflict ledger of every node. */
  readonly losersListed: number;
  readonly deletions: number;
  /** Deleted documents that some node still shows. Must be 0. */
  readonly undeleted: number;
  /** From the moment the node may use the network again until all are equal. */
  readonly healMs: number;
}

/** A place that two sides change, what each of them writes, and what must come of it. */
interface Conflict {
  readonly key: string;
  readonly place: Place;
  readonly office: Readonly<Record<string, string>>;
  readonly till: Readonly<Record<string, string>>;
}

/** Cuts the second till off, changes the same documents on both sides, and lets them meet again. */
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

/** Places with short, plain names, so that they can be read in a table, spread over the data set. */
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

/** What each node shows of the fields in question. */
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

/** Of one field the later write is kept, and that was the till's; of different fields both are. */
async function countResolved({ nodes }: Cluster, conflicts: readonly Conflict[]): Promise<number> {
  let resolved = 0;
  for (const { key, office, till } of conflicts) {
    const expected = Object.entries({ ...office, ...till });
    const values = await Promise.all(nodes.map((node) => node.collection(PLACES).get(key)));
    if (values.every((value) => expected.every(([field, text]) => value?.[field] === text))) resolved++;
  }
  return resolved;
}

/** Of two changes of one field the office's lost. */
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
