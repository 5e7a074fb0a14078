import type { TestContext } from 'node:test';

type Undo = () => unknown;

const undosByTest = new WeakMap<TestContext, Undo[]>();

/** Does something when the test has ended: what was made last is undone first, and a failure does not keep the rest from it. */
export function atEnd(t: TestContext, undo: Undo): void {
  const undos = undosByTest.get(t);
  if (undos !== undefined) {
    undos.push(undo);
    return;
  }
  const first = [undo];
  undosByTest.set(t, first);
  t.after(() => undoAll(first));
}

async function undoAll(undos: Undo[]): Promise<void> {
  const errors: unknown[] = [];
  for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
    try {
      await undo();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'the test could not be cleaned up');
}
