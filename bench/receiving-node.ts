import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import type { LoadedConfig } from '../src/node/config/index.ts';
import type { RunningNode } from '../src/node/node-api.ts';
import { type Durability, openRawStore, type RawChange, type RawReceiver, receiveRaw } from './baselines/index.ts';
import type { BaselineName } from './bench-case.ts';
import { holds, openOurs, ourConfig, TOKENS } from './ours.ts';

/** The receiving end of a sync in this process, ours or raw. It is opened first, and connected when measuring starts. */
export interface ReceivingNode {
  connect(): void;
  /** Resolves when everything that the sender holds, by its own `held` text, is durable here. */
  holds(held: string): Promise<void>;
  /** Bytes over all connections, both ways, since it was last connected. */
  bytes(): Promise<number>;
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

export interface ReceivingOptions {
  readonly folder: string;
  readonly name: string;
  readonly durability: Durability;
  readonly port: number;
}

export class OurReceivingNode implements ReceivingNode {
  readonly node: RunningNode;
  readonly #alone: LoadedConfig;
  readonly #linked: LoadedConfig;
  #bytesBefore = 0;

  private constructor(node: RunningNode, alone: LoadedConfig, linked: LoadedConfig) {
    this.node = node;
    this.#alone = alone;
    this.#linked = linked;
  }

  static async open({ folder, name, durability, port }: ReceivingOptions): Promise<OurReceivingNode> {
    const options = { nodeId: name, durability, peerPort: null };
    const node = await openOurs(folder, options);
    return new OurReceivingNode(
      node,
      await ourConfig(folder, options),
      await ourConfig(folder, { ...options, peerPort: port }),
    );
  }

  /** The node already listens, just as the baseline already runs. Now it learns of its peer, and dials. */
  connect(): void {
    void this.node.reconfigure(this.#linked, TOKENS);
  }

  holds(held: string): Promise<void> {
    return holds(this.node, held);
  }

  async bytes(): Promise<number> {
    return (await this.#bytesSinceOpen()) - this.#bytesBefore;
  }

  async disconnect(): Promise<void> {
    await this.node.setNetworkPaused(true);
    await this.node.reconfigure(this.#alone, TOKENS);
    await this.node.setNetworkPaused(false);
    this.#bytesBefore = await this.#bytesSinceOpen();
  }

  close(): Promise<void> {
    return this.node.close();
  }

  async #bytesSinceOpen(): Promise<number> {
    const samples = await this.node.metrics();
    return samples.find(({ name }) => name === 'entgldb_sync_bytes_total')?.value ?? Number.NaN;
  }
}

export class RawReceivingNode implements ReceivingNode {
  readonly #store: ReturnType<typeof openRawStore>;
  readonly #port: number;
  readonly #applied = new EventEmitter<{ changes: [readonly RawChange[]] }>();
  #receiver: RawReceiver | null = null;

  constructor(subject: BaselineName, { folder, name, durability, port }: ReceivingOptions) {
    this.#store = openRawStore(subject, join(folder, `${name}.db`), durability);
    this.#port = port;
  }

  connect(): void {
    this.#receiver = receiveRaw(this.#store, this.#port, (changes) => this.#applied.emit('changes', changes));
  }

  /** Calls `listener` with the text of every document as soon as it is durable here. Returns a function that stops it. */
  onDocument(listener: (text: string) => void): () => void {
    const onChanges = (changes: readonly RawChange[]) => {
      for (const { text } of changes) listener(text);
    };
    this.#applied.on('changes', onChanges);
    return () => this.#applied.off('changes', onChanges);
  }

  async holds(held: string): Promise<void> {
    while (String(this.#store.position()) !== held) await once(this.#applied, 'changes');
  }

  async bytes(): Promise<number> {
    return this.#receiver?.bytes() ?? 0;
  }

  async disconnect(): Promise<void> {
    this.#receiver?.close();
    this.#receiver = null;
  }

  async close(): Promise<void> {
    await this.disconnect();
    this.#store.close();
  }
}

export async function openReceiving(subject: 'ours' | BaselineName, options: ReceivingOptions): Promise<ReceivingNode> {
  return subject === 'ours' ? OurReceivingNode.open(options) : new RawReceivingNode(subject, options);
}
