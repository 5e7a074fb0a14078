import { effectScope, nextTick, ref, watch } from '@vue/runtime-core';
import { openDatabase } from 'entgldb';
import { useLive } from './use-live.ts';

interface Task {
  readonly title: string;
  readonly done: boolean;
}

const db = await openDatabase({ network: false });
const tasks = db.collection<Task>('tasks');
await tasks.put('t1', { title: 'water the plants', done: false });

// What the `setup` of a component does, but without a screen.
const scope = effectScope();
const done = ref(false);
const { state } = scope.run(() => {
  const live = useLive(() => tasks.live({ done: done.value }, { sort: { title: 1 } }));
  const count = useLive(() => tasks.liveCount());
  watch([live.state, count.state], ([shown, all]) =>
    console.log(
      shown?.map(({ value }) => value.title),
      'of',
      all,
    ),
  );
  return live;
})!;
await nextTick();

await tasks.put('t2', { title: 'feed the cat', done: false });
await nextTick();
await tasks.update('t1', { done: true });
await nextTick();
done.value = true;
// In one tick the query starts over; in the next its first result is there.
await nextTick();
await nextTick();

scope.stop();
await tasks.deleteMany(['t1', 't2']);
console.log(
  'stopped at',
  state.value?.map(({ value }) => value.title),
);
await db.close();
