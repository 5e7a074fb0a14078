import type { Limits } from '../src/core/config/index.ts';
import type { StoredDocument } from '../src/store/index.ts';
import type { SessionRunner } from '../src/sync/index.ts';

/** Bytes of a version in a message besides key and value; and of a line of its context or a field stamp. */
const VERSION_BYTES = 64;
const ENTRY_BYTES = 12;

/**
 * I7: what a session holds in memory stays within its bounds. One document may exceed them, and in a long life a document
 * grows: every further replica id that writes it adds a line to the contexts of its versions.
 */
export class Load {
  #documentBytesMax = 0;

  /** Some node committed these documents. Sessions may send them from now on. */
  committed(documents: readonly StoredDocument[]): void {
    for (const document of documents) this.#documentBytesMax = Math.max(this.#documentBytesMax, bytesOf(document));
  }

  /** How a session exceeds its bounds; undefined if it does not. */
  excess(session: SessionRunner, limits: Limits): string | undefined {
    const { unackedBytes, echoes, questions, groupBytes, outboxMessages } = session.load;
    const bytesMax = limits.sessionCreditBytes + limits.liveGroupBytesMax + this.#documentBytesMax;
    if (unackedBytes > bytesMax)
      return `has ${unackedBytes} bytes under way in one session, ${bytesMax} are allowed (I7)`;
    if (echoes > limits.echoMemoryMax) return `remembers ${echoes} echoes, ${limits.echoMemoryMax} are allowed (I7)`;
    if (questions > 1024) return `has ${questions} questions waiting (I7)`;
    if (groupBytes > 2 * limits.liveGroupBytesMax + this.#documentBytesMax)
      return `gathers a group of ${groupBytes} bytes (I7)`;
    if (outboxMessages > 2000) return `has ${outboxMessages} messages waiting to be sent (I7)`;
    return undefined;
  }
}

function bytesOf({ key, versions }: StoredDocument): number {
  let bytes = 0;
  for (const { value, context, stamps } of versions)
    bytes += key.length + (value?.length ?? 0) + VERSION_BYTES + ENTRY_BYTES * (context.length + (stamps?.length ?? 0));
  return bytes;
}
