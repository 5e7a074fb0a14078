import type { AttackReplica } from './attack-replica.ts';
import { type Dotted, raise, type Vector } from './vectors.ts';

/** How far streams of this sender came at the receiver before they were cut. */
export function cursorOf(from: AttackReplica, to: AttackReplica): Vector {
  return to.cursorsBySender.get(senderOf(from, to)) ?? new Map();
}

/** The receiver has all that this sender's stream brought up to there. */
export function raiseCursor(from: AttackReplica, to: AttackReplica, reached: Dotted): void {
  const cursor = cursorOf(from, to);
  raise(cursor, reached);
  to.cursorsBySender.set(senderOf(from, to), cursor);
}

/**
 * How far a stream that began with this knowledge may say to have come when it sends this version; `isLast`: there is none of
 * the replica behind it. Own writes come in their order.
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
