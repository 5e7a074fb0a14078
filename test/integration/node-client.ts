/**
 * A process that talks to the running node of a data directory, for tests: only a process in the same network namespace can
 * reach the node. Prints a line of JSON for each event, with its time (`nowMs`).
 *
 *     node-client.ts watch DIR COLLECTION          a line once it follows, then one for each put; ends with its standard input
 *     node-client.ts write DIR COLLECTION COUNT    a line before each write, 15 ms apart
 */
import { setTimeout } from 'node:timers/promises';
import { followChanges } from '../../src/node/cli/demo/change-stream.ts';
import { HttpClient } from '../../src/node/cli/http-client.ts';
import { createRemoteCollection } from '../../src/node/cli/remote-collection.ts';
import { readNodeFile } from '../../src/node/node-file.ts';
import { PATIENCE_MS } from './node-process.ts';
import { nowMs } from './running-time.ts';

const GAP_MS = 15;
const [mode, folder, collection, count] = process.argv.slice(2) as [string, string, string, string?];
const file = await readNodeFile(`${folder}/entgldb.db`);
if (file === undefined) throw new Error(`no node runs on ${folder}`);
const client = new HttpClient(file.url, file.secret, { answerMsMax: PATIENCE_MS });
const print = (event: string): void => console.log(JSON.stringify({ event, ms: nowMs() }));

if (mode === 'watch') {
  const stream = await followChanges(client, collection, print);
  print('following');
  process.stdin.on('end', () => stream.close()).resume();
} else {
  const documents = createRemoteCollection(client, collection);
  for (let i = 0; i < Number(count); i++) {
    await setTimeout(GAP_MS);
    print(`k${i}`);
    await documents.put(`k${i}`, { i, text: 'a document of ordinary size'.repeat(4) });
  }
}
