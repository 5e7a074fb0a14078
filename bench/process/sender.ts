import type { Durability } from '../baselines/index.ts';
import type { BaselineName } from '../bench-case.ts';
import { Remote } from './remote.ts';

/** The commands to the process of the sending node. */
export type SenderCommand =
  | {
      readonly kind: 'open';
      readonly subject: 'ours' | BaselineName;
      readonly folder: string;
      /** How many documents to write if its file is empty. */
      readonly documents: number;
      readonly durability: Durability;
      /** Ours only: port of the node to sync with. */
      readonly peerPort?: number;
    }
  /** One batch of new revisions of random documents. */
  | { readonly kind: 'update'; readonly count: number; readonly round: number }
  /** Single writes with a pause between them, each carrying the moment of its call. */
  | { readonly kind: 'live'; readonly count: number; readonly pauseMs: number }
  /** Does nothing; only for the answer. */
  | { readonly kind: 'look' }
  | { readonly kind: 'close' };

export interface SenderState {
  /** The port on which it listens. */
  readonly port: number;
  /** What it holds, as text. A receiver whose own text is equal has everything. */
  readonly held: string;
  readonly connectedPeers: number;
  /** Bytes of all its connections so far, both ways. */
  readonly bytes: number;
  /** Processor time so far, ms. */
  readonly cpuMs: number;
}

/** The sending node of the sync cases, in a process of its own, so that each end has a core. */
export class Sender {
  // It lies next to the compiled program that contains this file (../compiled.ts).
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

/** Fills the file of a node of ours in another process, so that nothing is warm in this one. */
export async function filledElsewhere(folder: string, documents: number): Promise<void> {
  const sender = await Sender.open({ subject: 'ours', folder, documents, durability: 'normal' });
  await sender.close();
}
