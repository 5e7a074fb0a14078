type Undo = () => unknown;

/** A test, or anything else that ends. */
export interface Scope {
  after(run: Undo): void;
}

const undosByTest = new WeakMap<Scope, Undo[]>();

/** Runs `undo` when the test has ended. The latest one runs first, and a failure does not stop the others. */
export function atEnd(t: Scope, undo: Undo): void {
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

/** Runs the work in a scope of its own, for use outside tests. */
export async function withScope<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const runs: Undo[] = [];
  try {
    return await work({ after: (run) => void runs.push(run) });
  } finally {
    for (const run of runs.reverse()) await run();
  }
}
