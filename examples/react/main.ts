import { openDatabase } from 'entgldb';
import { act, createElement, StrictMode } from 'react';
import { create, type ReactTestRenderer } from 'react-test-renderer';
import { type Task, TaskList } from './task-list.ts';

// Tells React that updates run inside `act`. An application with a real renderer does not need this.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const db = await openDatabase({ network: false });
const tasks = db.collection<Task>('tasks');
await tasks.put('t1', { title: 'water the plants', done: false });

const view = (done: boolean) => createElement(StrictMode, null, createElement(TaskList, { tasks, done }));
let root: ReactTestRenderer | undefined;
await act(() => {
  root = create(view(false));
});
print('at first');

await act(() => tasks.put('t2', { title: 'feed the cat', done: false }));
print('after a write');

await act(() => tasks.update('t1', { done: true }));
print('after another');

await act(() => root?.update(view(true)));
print('the done ones');

await act(() => root?.unmount());
await db.close();

function print(when: string): void {
  console.log(`${when}: ${JSON.stringify(root?.toJSON())}`);
}
