import type { Limits } from '../src/core/config/index.ts';
import type { SessionRunner } from '../src/sync/index.ts';

/** How far one more document may exceed a limit, bytes: the documents of the virtual world are small. */
const OVERSHOOT_BYTES = 4096;

/** I7: what a session holds in memory stays within its bounds. Returns undefined if it does. */
export function overload(session: SessionRunner, limits: Limits): string | undefined {
  const { unackedBytes, echoes, questions, groupBytes, outboxMessages } = session.load;
  const bytesMax = limits.sessionCreditBytes + limits.liveGroupBytesMax + OVERSHOOT_BYTES;
  if (unackedBytes > bytesMax)
    return `has ${unackedBytes} bytes under way in one session, ${bytesMax} are allowed (I7)`;
  if (echoes > limits.echoMemoryMax) return `remembers ${echoes} echoes, ${limits.echoMemoryMax} are allowed (I7)`;
  if (questions > 1024) return `has ${questions} questions waiting (I7)`;
  if (groupBytes > 2 * limits.liveGroupBytesMax + OVERSHOOT_BYTES) return `gathers a group of ${groupBytes} bytes (I7)`;
  if (outboxMessages > 2000) return `has ${outboxMessages} messages waiting to be sent (I7)`;
  return undefined;
}
