import { openDatabase } from 'entgldb';
import { derived } from 'svelte/store';
import { liveStore } from './live-store.ts';

interface Task {
  readonly title: string;
  readonly done: boolean;
}

const db = await openDatabase({ network: false });
const tasks = db.collection<Task>('tasks');
await tasks.put('t1', { title: 'water the plants', done: false });

const open = liveStore(tasks.live({ done: false }, { sort: { title: 1 } }));
const count = liveStore(tasks.liveCount());
const line = derived([open, count], ([shown, all]) => `${shown?.map(({ value }) => value.title)} of ${all}`);

const stop = line.subscribe((text) => console.log(text));
await tasks.put('t2', { title: 'feed the cat', done: false });
await tasks.update('t1', { done: true });
stop();
await tasks.deleteMany(['t1', 't2']);
await db.close();
