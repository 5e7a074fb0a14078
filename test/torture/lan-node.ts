// A node on a host of a software network, in a process of its own: `node lan-node.ts FOLDER NAME TOKEN-FILE`. Takes one
// order per line of its standard input, as a JSON object, answers each with another, and ends with its input.
import { createInterface } from 'node:readline';
import { openDatabase } from '../../src/index.ts';
import type { LanAnswer, LanOrder } from './lan-peer.ts';

const COLLECTION = 'lan';

const [folder = '', nodeId = '', authTokenFile = ''] = process.argv.slice(2);
const db = await openDatabase({
  dataDirectory: folder,
  nodeId,
  network: { authTokenFile, tcpPort: 5000, udpPort: 6000 },
  persistence: { durability: 'normal', enableAutoBackup: false },
});
const say = (answer: LanAnswer): void => console.log(JSON.stringify(answer));

say({ id: 0, ...state() });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, key, n } = JSON.parse(line) as LanOrder;
  if (key !== undefined) await db.collection(COLLECTION).put(key, { n, by: nodeId });
  say({ id, ...state() });
}
await db.close();

function state(): Omit<LanAnswer, 'id'> {
  const { collections, connectedPeers } = db.status();
  const { fingerprint = '', documents = 0 } = collections.find(({ name }) => name === COLLECTION) ?? {};
  return { fingerprint, documents, connectedPeers };
}
