import type { BaselineName, BenchCase, Figures, Scale, Subject } from '../bench-case.ts';
import { Sender } from '../process/sender.ts';
import { openReceiving, type ReceivingNode } from '../receiving-node.ts';
import { intervalOf } from '../statistics.ts';
import { timed } from '../stopwatch.ts';
import { inOwnFolder } from '../subject-folder.ts';

export const CATCH_UP_DOCUMENTS = 50_000;
export const CHANGED = 1000;
/** Catch-ups of each size in one run of `growth`; their medians are compared. */
const TURNS = 3;

/** Two nodes that were in sync, the receiver in this process. */
class Pair {
  readonly #sender: Sender;
  readonly #receiver: ReceivingNode;
  #turn = 0;

  private constructor(sender: Sender, receiver: ReceivingNode) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  static async open(subject: 'ours' | BaselineName, folder: string, documents: number): Promise<Pair> {
    const durability = 'full';
    const sender = await Sender.open({ subject, folder: inOwnFolder(folder, 'sender'), documents, durability });
    const receiver = await openReceiving(subject, {
      folder: inOwnFolder(folder, 'receiver'),
      name: 'receiver',
      durability,
      port: sender.port,
    });
    receiver.connect();
    await receiver.holds(sender.held);
    return new Pair(sender, receiver);
  }

  /** The sender writes while the receiver is away. Measured from the receiver's return. */
  async catchUp(): Promise<{ readonly ms: number; readonly bytes: number }> {
    await this.#receiver.disconnect();
    await this.#sender.tell({ kind: 'update', count: CHANGED, round: this.#turn++ });
    const ms = await timed(() => {
      this.#receiver.connect();
      return this.#receiver.holds(this.#sender.held);
    });
    return { ms, bytes: await this.#receiver.bytes() };
  }

  async close(): Promise<void> {
    await this.#receiver.close();
    await this.#sender.close();
  }
}

export function catchUpSubject(subject: 'ours' | BaselineName, documents: number): Subject {
  return async (folder) => {
    const pair = await Pair.open(subject, folder, documents);
    return { run: (): Promise<Figures> => pair.catchUp(), close: () => pair.close() };
  };
}

export const catchUp: BenchCase = {
  name: 'catch-up',
  about: `${CHANGED} of ${CATCH_UP_DOCUMENTS} documents changed while the receiver was away, until they are durable there`,
  subjects: {
    ours: catchUpSubject('ours', CATCH_UP_DOCUMENTS),
    row: catchUpSubject('row', CATCH_UP_DOCUMENTS),
    chained: catchUpSubject('chained', CATCH_UP_DOCUMENTS),
  },
  goals: [
    { figure: 'ms', of: 'chained', atMost: 1 },
    { figure: 'bytes', of: 'chained', atMost: 0.4 },
  ],
};

function growthSubject(subject: 'ours' | BaselineName, documents: number): Subject {
  return async (folder) => {
    const small = await Pair.open(subject, inOwnFolder(folder, 'small'), documents);
    const large = await Pair.open(subject, inOwnFolder(folder, 'large'), documents * 2);
    return {
      async run() {
        const ms: { small: number[]; large: number[] } = { small: [], large: [] };
        for (let turn = 0; turn < TURNS; turn++) {
          ms.small.push((await small.catchUp()).ms);
          ms.large.push((await large.catchUp()).ms);
        }
        const before = intervalOf(ms.small).median;
        const after = intervalOf(ms.large).median;
        return { 'ms before': before, 'ms doubled': after, growth: after / before };
      },
      async close() {
        await small.close();
        await large.close();
      },
    };
  };
}

export function growth({ isFull }: Scale): BenchCase {
  const documents = isFull ? 500_000 : CATCH_UP_DOCUMENTS;
  return {
    name: 'growth',
    about: `catch-up of ${CHANGED} changes among ${documents} documents, and among twice as many`,
    subjects: { ours: growthSubject('ours', documents), row: growthSubject('row', documents) },
    goals: [{ figure: 'growth', atMost: 1.1 }],
  };
}
