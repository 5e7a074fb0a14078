import type { AttackCounts, AttackOptions } from './attack-options.ts';
import { type AttackReplica, placeOf, type Version } from './attack-replica.ts';
import { cursorOf, raiseCursor, reachedBy } from './cursors.ts';
import { copyContext, covers, dominates, dotOf, join, see } from './vectors.ts';

/** Runs one round in a single moment under the candidate rules of the options, cut after `budget` messages. */
export function attackRound(
  from: AttackReplica,
  to: AttackReplica,
  budget: number,
  options: AttackOptions,
  counts: AttackCounts,
): void {
  if (options.detect) detectForks(from, to, options, counts);
  const cursor = cursorOf(from, to);
  const knownAtStart = new Map(from.known);
  const wanted = from.allLive().filter((version) => !to.knows(version));
  const delta = wanted.filter((version) => !covers(cursor, version));
  counts.resumed += wanted.length - delta.length;
  delta.sort((a, b) => (a.replica < b.replica ? -1 : a.replica > b.replica ? 1 : a.seq - b.seq));
  counts.sent += delta.length;
  for (const version of delta.slice(0, budget)) {
    to.apply(version);
    if (!options.cursors) continue;
    raiseCursor(from, to, reachedBy(from, version, false, knownAtStart));
  }
  if (delta.length < budget) claim(from, to, options, counts);
}

function claim(from: AttackReplica, to: AttackReplica, options: AttackOptions, counts: AttackCounts): void {
  if (!dominates(to.known, from.purged)) {
    counts.liveSets++;
    const alive = from.livePlaces();
    to.drop((version) => !alive.has(placeOf(version)) && from.knows(version));
  }
  to.joinKnown(from);
  join(to.purged, from.purged);
  for (const dot of from.extra) to.extra.add(dot);
  if (options.extraDots) {
    for (const version of to.allLive()) if (!covers(to.known, version)) to.extra.add(dotOf(version));
  }
  for (const dot of to.extra) {
    const [replica, seq] = dot.split(':');
    if (covers(to.known, { replica: replica!, seq: Number(seq) })) to.extra.delete(dot);
  }
}

/** R9 at meeting: each side checks whether the other proves it to be a copy or rolled back. */
function detectForks(a: AttackReplica, b: AttackReplica, options: AttackOptions, counts: AttackCounts): void {
  for (const [me, peer] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!isForked(me, peer, options)) continue;
    counts.detected++;
    const old = { id: me.id, since: me.forkedAt };
    me.beginNewLife();
    if (options.rewrite) rewriteSince(me, old.id, old.since);
    if (options.reauthor) reauthorSince(me, old.id, old.since);
    me.forkedAt = 0;
  }
}

function isForked(me: AttackReplica, peer: AttackReplica, options: AttackOptions): boolean {
  const seq = peer.known.get(me.id) ?? 0;
  if (seq > me.seq) return true;
  if (options.chain && seq > 0 && me.chain.get(seq) !== peer.checks.get(me.id)) return true;
  return peer.allLive().some((version) => version.replica === me.id && version.seq > me.seq);
}

/** R9: writes every live version of the old id beyond the fork again. Its context: what it replaced, and its old dot. */
function rewriteSince(me: AttackReplica, oldId: string, since: number): void {
  forEachSince(me, oldId, since, (version) => {
    const context = copyContext(version.context);
    see(context, version.replica, { first: version.first, last: version.seq });
    return renamed(me, version, context, true);
  });
  if ((me.known.get(oldId) ?? 0) > since) {
    me.known.set(oldId, since);
    me.checks.delete(oldId);
  }
}

/** Rejected: the same, with contexts that stop at the fork. */
function reauthorSince(me: AttackReplica, oldId: string, since: number): void {
  forEachSince(me, oldId, since, (version) => {
    const context = copyContext(version.context);
    const lines = (context.get(oldId) ?? []).filter(({ first }) => first <= since);
    for (const line of lines) line.last = Math.min(line.last, since);
    if (lines.length > 0) context.set(oldId, lines);
    else context.delete(oldId);
    return renamed(me, version, context, false);
  });
  if ((me.known.get(oldId) ?? 0) > since) me.known.set(oldId, since);
}

function forEachSince(me: AttackReplica, id: string, since: number, rename: (version: Version) => Version): void {
  for (const doc of me.docs.values()) {
    doc.live = doc.live.map((version) => (version.replica === id && version.seq > since ? rename(version) : version));
  }
}

function renamed(me: AttackReplica, version: Version, context: Version['context'], isChained: boolean): Version {
  const dot = me.nextDot();
  const again = { ...version, ...dot, first: dot.seq, context };
  if (isChained) me.extendChain(again);
  return again;
}
