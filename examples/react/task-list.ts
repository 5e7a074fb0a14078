import type { Collection } from 'entgldb';
import { createElement, type ReactElement, useMemo } from 'react';
import { useLive } from './use-live.ts';

export interface Task {
  readonly title: string;
  readonly done: boolean;
}

export interface TaskListProps {
  readonly tasks: Collection<Task>;
  readonly done: boolean;
}

/** Shows the titles of all tasks that are done, or of those that are not, and how many tasks there are. */
export function TaskList({ tasks, done }: TaskListProps): ReactElement {
  const shown = useLive(useMemo(() => tasks.live({ done }, { sort: { title: 1 } }), [tasks, done]));
  const count = useLive(useMemo(() => tasks.liveCount(), [tasks]));
  if (shown === undefined || count === undefined) return createElement('p', null, 'one moment …');
  return createElement(
    'ul',
    { title: `${shown.length} of ${count}` },
    shown.map(({ key, value }) => createElement('li', { key }, value.title)),
  );
}
