import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Durability } from './baselines/index.ts';
import type { SubjectName } from './bench-case.ts';
import type { SenderCommand, SenderDone } from './sender.ts';

/** The sending node in its own process. */
export class SenderProcess {
  readonly #child: ChildProcess;
  port = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async open(
    subject: SubjectName,
    folder: string,
    documents: number,
    durability: Durability,
  ): Promise<SenderProcess> {
    const sender = new SenderProcess(fork(fileURLToPath(new URL('./sender-main.ts', import.meta.url))));
    await sender.tell({ kind: 'open', subject, folder, documents, durability });
    return sender;
  }

  /** Resolves when it is done. */
  async tell(command: SenderCommand): Promise<void> {
    this.#child.send(command);
    const [done] = (await once(this.#child, 'message')) as [SenderDone];
    this.port = done.port;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.send({ kind: 'close' } satisfies SenderCommand);
    await exited;
  }
}
