// What a window does, here in a thread of its own.
import { parentPort } from 'node:worker_threads';
import { LiveClient } from './remote-live.ts';

interface Task {
  readonly title: string;
  readonly done: boolean;
}

const client = new LiveClient((request) => parentPort?.postMessage(request));
parentPort?.on('message', (answer) => client.receive(answer));

const tasks = client.live<Task>('tasks', { done: false }, { sort: { title: 1 } });
const stop = tasks.subscribe(() => {
  const titles = tasks.getSnapshot()?.map(({ value }) => value.title);
  console.log('the window shows', titles);
  if (titles?.length === 2) {
    stop();
    secrets.subscribe(
      () => console.log('the window sees secrets'),
      (error) => {
        console.log(String(error));
        parentPort?.close();
      },
    );
  }
});
const secrets = client.live('secrets');
