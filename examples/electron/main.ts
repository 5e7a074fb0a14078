// What the process with the database does. The window is a thread here, so that this runs without Electron.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { openDatabase } from 'entgldb';
import { LiveServer } from './live-server.ts';

const db = await openDatabase({ network: false });
const tasks = db.collection('tasks');
await tasks.put('t1', { title: 'water the plants', done: false });

const window = new Worker(new URL('./window.ts', import.meta.url));
const isAllowed = (collection: string) => collection === 'tasks';
const server = new LiveServer(db, isAllowed, (answer) => window.postMessage(answer));
window.on('message', (request) => server.receive(request));

await once(window, 'message');
await tasks.put('t2', { title: 'feed the cat', done: false });
await once(window, 'exit');
server.close();
await db.close();
