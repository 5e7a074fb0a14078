import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A process's answer to a command. */
export type Answer<Value> = { readonly value: Value } | { readonly error: string };

export interface RemoteOptions {
  /** Heap limit of the process, MiB. Default: that of Node. */
  readonly heapMibMax?: number | undefined;
}

/** A process that performs commands, one after another. `answer` is its other end. */
export class Remote<Command extends object, Value> {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;

  constructor(script: URL, { heapMibMax }: RemoteOptions = {}) {
    const execArgv = heapMibMax === undefined ? [] : [`--max-old-space-size=${heapMibMax}`];
    // Compiled code is cached: a process that strips types has about fifty MiB more than a user's process.
    this.#child = fork(script, {
      execArgv: [...process.execArgv, ...execArgv],
      serialization: 'advanced',
      env: { NODE_COMPILE_CACHE: join(tmpdir(), 'entgldb-bench-compiled'), ...process.env },
    });
    this.#exited = once(this.#child, 'exit');
  }

  /** Resolves with the answer. Rejects with what went wrong in the process, or if the process ends instead. */
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

  /** Disconnects from the process, and resolves when it has ended. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }
}
