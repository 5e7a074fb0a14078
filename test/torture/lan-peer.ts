/** The test's side of a node on a host of a software network (lan-node.ts). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Lan } from './lan.ts';

const SCRIPT = fileURLToPath(new URL('lan-node.ts', import.meta.url));
const ERROR_CHARS = 2000;

/** With a key: write `n` under it. Without: only report the state. */
export interface LanOrder {
  readonly id: number;
  readonly key?: string;
  readonly n?: number;
}

export interface LanAnswer {
  readonly id: number;
  readonly fingerprint: string;
  readonly documents: number;
  readonly connectedPeers: number;
}

export class LanPeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<LanAnswer>>();
  #nextId = 1;
  #errors = '';

  /** Resolves when the node listens. */
  static async start(lan: Lan, host: number, folder: string, tokenFile: string): Promise<LanPeer> {
    const words = [...lan.wrapper(host), process.execPath, SCRIPT, folder, `host-${host}`, tokenFile];
    const [command, ...args] = words as [string, ...string[]];
    const peer = new LanPeer(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
    await peer.#answerTo(0);
    return peer;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_CHARS);
    });
    child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a node ended with ${code}: ${this.#errors}`));
    });
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as LanAnswer;
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Resolves when the write is acknowledged. */
  async put(key: string, n: number): Promise<void> {
    await this.#order({ key, n });
  }

  state(): Promise<LanAnswer> {
    return this.#order({});
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await exited;
  }

  #order(order: Omit<LanOrder, 'id'>): Promise<LanAnswer> {
    const id = this.#nextId++;
    this.#child.stdin!.write(`${JSON.stringify({ ...order, id })}\n`);
    return this.#answerTo(id);
  }

  #answerTo(id: number): Promise<LanAnswer> {
    const answer = Promise.withResolvers<LanAnswer>();
    this.#waiting.set(id, answer);
    return answer.promise;
  }
}
