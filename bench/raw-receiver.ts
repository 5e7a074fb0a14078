import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import {
  type Durability,
  openChainedStore,
  openRowStore,
  type RawChange,
  type RawReceiver,
  receiveRaw,
} from './baselines/index.ts';
import type { SubjectName } from './bench-case.ts';

/** The receiving end of a raw sync, in this process. */
export class RawReceivingNode {
  readonly #store: ReturnType<typeof openChainedStore>;
  readonly #applied = new EventEmitter<{ changes: [readonly RawChange[]] }>();
  #receiver: RawReceiver | null = null;
  #count = 0;

  constructor(subject: SubjectName, folder: string, name: string, durability: Durability) {
    const open = subject === 'chained' ? openChainedStore : openRowStore;
    this.#store = open(join(folder, `${name}.db`), durability);
  }

  connect(port: number): void {
    this.#receiver = receiveRaw(this.#store, port, (changes) => {
      this.#count += changes.length;
      this.#applied.emit('changes', changes);
    });
  }

  /** Calls with the text of every document as soon as it is durable here. */
  onDocument(listener: (text: string) => void): () => void {
    const onChanges = (changes: readonly RawChange[]) => {
      for (const { text } of changes) listener(text);
    };
    this.#applied.on('changes', onChanges);
    return () => this.#applied.off('changes', onChanges);
  }

  /** Resolves when this many changes came since the last call. */
  async received(count: number): Promise<void> {
    while (this.#count < count) await once(this.#applied, 'changes');
    this.#count -= count;
  }

  bytes(): number {
    return this.#receiver?.bytes() ?? 0;
  }

  disconnect(): void {
    this.#receiver?.close();
    this.#receiver = null;
  }

  close(): void {
    this.disconnect();
    this.#store.close();
  }
}
