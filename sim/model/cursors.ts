import type { AttackReplica } from './attack-replica.ts';
import { type Dotted, raise, type Vector } from './vectors.ts';

/** How far this sender's streams got at the receiver before they were cut. */
export function cursorOf(from: AttackReplica, to: AttackReplica): Vector {
  return to.cursorsBySender.get(senderOf(from, to)) ?? new Map();
}

/** Notes that the receiver has everything this sender's stream brought up to `reached`. */
export function raiseCursor(from: AttackReplica, to: AttackReplica, reached: Dotted): void {
  const cursor = cursorOf(from, to);
  raise(cursor, reached);
  to.cursorsBySender.set(senderOf(from, to), cursor);
}

/**
 * How far a stream that began with this knowledge may claim to have come when it sends this version. `isLast`: no version
 * of the replica follows. The sender's own writes always come in order, so its current knowledge is the cap for them.
 */
export function reachedBy(from: AttackReplica, version: Dotted, isLast: boolean, knownAtStart: Vector): Dotted {
  const { replica, seq } = version;
  const { cursors } = from.options;
  if (cursors === 'naive') return { replica, seq };
  const isOfNow = cursors === 'cappedLate' || replica === from.id;
  const cap = (isOfNow ? from.known : knownAtStart).get(replica) ?? 0;
  return { replica, seq: isLast ? cap : Math.min(seq, cap) };
}

function senderOf(from: AttackReplica, to: AttackReplica): string {
  return to.options.cursors === 'anyProcess' ? from.id : `${from.id} ${from.process}`;
}
