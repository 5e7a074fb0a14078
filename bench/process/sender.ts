import type { Durability } from '../baselines/index.ts';
import type { BaselineName } from '../bench-case.ts';
import { Remote } from './remote.ts';

/** What the sending node, a process of its own, is told. */
export type SenderCommand =
  | {
      readonly kind: 'open';
      readonly subject: 'ours' | BaselineName;
      readonly folder: string;
      /** Written if its file is empty. */
      readonly documents: number;
      readonly durability: Durability;
      /** Ours only: the node to sync with. */
      readonly peerPort?: number;
    }
  /** One batch of new revisions of random documents. */
  | { readonly kind: 'update'; readonly count: number; readonly round: number }
  /** Single writes, each carrying the moment when it was asked for, with a pause between them. */
  | { readonly kind: 'live'; readonly count: number; readonly pauseMs: number }
  /** Nothing: the answer says what it holds. */
  | { readonly kind: 'look' }
  | { readonly kind: 'close' };

export interface SenderState {
  /** Where it listens. */
  readonly port: number;
  /** What it holds, as a text: a receiver whose own is equal has everything. */
  readonly held: string;
  readonly connectedPeers: number;
  /** Of all its connections, both ways, so far. */
  readonly bytes: number;
  /** Processor time so far, ms. */
  readonly cpuMs: number;
}

/** The sending node of the sync cases: a process of its own, so that both ends have a core each. */
export class Sender {
  // It lies beside the compiled program that this is a part of: see ../compiled.ts.
  readonly #remote = new Remote<SenderCommand, SenderState>(new URL('./sender-main.js', import.meta.url));
  #state: SenderState | undefined;

  static async open(options: Omit<SenderCommand & { kind: 'open' }, 'kind'>): Promise<Sender> {
    const sender = new Sender();
    await sender.tell({ kind: 'open', ...options });
    return sender;
  }

  get port(): number {
    return this.#state?.port ?? 0;
  }

  get held(): string {
    return this.#state?.held ?? '';
  }

  async tell(command: SenderCommand): Promise<SenderState> {
    this.#state = await this.#remote.tell(command);
    return this.#state;
  }

  async close(): Promise<void> {
    await this.tell({ kind: 'close' });
    await this.#remote.close();
  }
}

/** Fills the file of a node of ours in another process, so that nothing of it is warm in this one. */
export async function filledElsewhere(folder: string, documents: number): Promise<void> {
  const sender = await Sender.open({ subject: 'ours', folder, documents, durability: 'normal' });
  await sender.close();
}
