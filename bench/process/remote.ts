import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a process answers to each thing that it is told. */
export type Answer<Value> = { readonly value: Value } | { readonly error: string };

export interface RemoteOptions {
  /** Heap of the process, MiB. */
  readonly heapMibMax?: number | undefined;
}

/** A process of its own that does what it is told, one thing after the other: `answer` is its other end. */
export class Remote<Command extends object, Value> {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  constructor(script: URL, { heapMibMax }: RemoteOptions = {}) {
    const execArgv = heapMibMax === undefined ? [] : [`--max-old-space-size=${heapMibMax}`];
    // Compiled code is kept: a process that strips types has some fifty MiB that no user's process has.
    this.#child = fork(script, {
      execArgv: [...process.execArgv, ...execArgv],
      serialization: 'advanced',
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'entgldb-bench-compiled'), ...process.env },
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** Resolves when it is done; rejects with what went wrong there, or when the process ends instead. */
  async tell(command: Command): Promise<Value> {
    const ended = new AbortController();
    const exited = this.#exited.then(([code, signal]) => {
      throw new Error(`the process ended with ${signal ?? code} at ${JSON.stringify(command)}`);
    });
    const answered = once(this.#child, 'message', { signal: ended.signal }) as Promise<[Answer<Value>]>;
    this.#child.send(command);
    try {
      const [answer] = await Promise.race([answered, exited]);
      if ('error' in answer) throw new Error(answer.error);
      return answer.value;
    } finally {
      answered.catch(() => {});
      exited.catch(() => {});
      ended.abort();
    }
  }

  /** Lets it go: it ends when it has nothing more to do. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }
}
