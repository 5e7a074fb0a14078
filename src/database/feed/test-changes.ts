import assert from 'node:assert/strict';
import type { Change } from '../api.ts';

export type Doc = { n: number };

/** For tests: the next change of a watcher. */
export async function nextOf<T>(iterator: AsyncIterator<Change<T>, undefined>): Promise<Change<T>> {
  const { value } = await iterator.next();
  assert.ok(value !== undefined);
  return value;
}

/** A change in one word or two, such as `put a=1`. */
export function textOf(change: Change<Doc>): string {
  return change.kind === 'reset'
    ? 'reset'
    : `${change.kind} ${change.key}${change.kind === 'put' ? `=${change.value.n}` : ''}`;
}

/** The next `count` changes as texts. */
export async function take(iterator: AsyncIterator<Change<Doc>, undefined>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(textOf(await nextOf(iterator)));
  return texts;
}
