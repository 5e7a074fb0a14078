import { applyVersion, checkDocumentText, dropVersions, hasSeen, STORABLE } from '../../core/document/index.ts';
import type { CollectionName, DocumentKey, ReplicaId } from '../../core/ids/index.ts';
import type { ForkProof, PlacedDot, RemoteClaim, RemoteVersion } from '../../core/replication/index.ts';
import type { Dot } from '../../core/version/index.ts';
import {
  FORMAT_JSON,
  type ForkEvidence,
  forkBetween,
  isSameDot,
  knows,
  knowsAll,
  type Line,
  sealVersion,
  type Version,
} from '../../core/version/index.ts';
import type { Store } from '../../store/index.ts';
import type { CollectionState } from './collection-state.ts';
import type { Draft } from './draft.ts';
import { type Namesakes, namesakeAmong, oneOfEach } from './lives/index.ts';

/** What applying remote versions and claims needs. */
export interface ApplyContext {
  readonly draft: Draft;
  readonly store: Store;
  readonly namesakes: Namesakes;
  /** This replica's id and the seq of its last write. */
  readonly own: { readonly replica: ReplicaId; readonly seq: number };
  collection(name: CollectionName): CollectionState;
  /** Records a version whose text is no document, for its user to see. It counts as known. */
  setAside(version: RemoteVersion, problem: string): void;
}

/** Applies R2 to each version in order. Returns how many changed something, and the forks that R9 finds. */
export function draftVersions(
  context: ApplyContext,
  versions: readonly RemoteVersion[],
): { readonly applied: number; readonly forks: readonly ForkEvidence[] } {
  const fresh: RemoteVersion[] = [];
  const forks: ForkEvidence[] = [];
  context.draft.expect(versions);
  for (const remote of versions) {
    const { collection, key } = remote;
    const state = context.collection(collection);
    if (state.state !== 'wanted') continue;
    context.draft.observe(remote.hlc);
    if (knows(state.knowledge, remote.replica, remote.seq)) continue;
    const before = context.draft.read(collection, key);
    if (hasSeen(before, remote)) {
      const fork = namesakeAmong(before!.versions, remote);
      if (fork !== undefined) forks.push(fork);
      continue;
    }
    const problem = valueProblem(remote);
    if (problem !== undefined) {
      context.setAside(remote, problem);
      continue;
    }
    const after = applyVersion(before, sealVersion(collection, key, remote), state.knowledge);
    if (after === undefined) continue;
    context.draft.put(collection, key, before, after);
    fresh.push(remote);
  }
  forks.push(...context.namesakes.elsewhere(fresh));
  return { applied: fresh.length, forks: oneOfEach(forks) };
}

/** Checks that a remote document is one. Values of other formats are kept unchecked. */
function valueProblem({ value, format }: RemoteVersion): string | undefined {
  return value === null || format !== FORMAT_JSON ? undefined : checkDocumentText(value, STORABLE)?.what;
}

/** R9 at meeting: what the peer knows of this replica must be a point of its history. */
export function proveFork(
  context: ApplyContext,
  known: { readonly seq: number; readonly check: string | null } | undefined,
): ForkProof | undefined {
  if (known === undefined) return undefined;
  const { replica, seq } = context.own;
  const theirs = known.check as ForkProof['theirs'];
  if (known.seq > seq) return { replica, seq: known.seq, theirs, ours: null, why: 'above-own-seq' };
  if (known.check === null || known.seq < context.store.chainFrom() || known.seq === 0) return undefined;
  const ours = context.store.chainCheck(known.seq) ?? null;
  return ours === known.check ? undefined : { replica, seq: known.seq, theirs, ours, why: 'other-check' };
}

/**
 * R9 at meeting: finds a version under this replica's id that it does not know, or a version that was written in sight of such
 * one. This replica knows all its own writes in a collection, so anything beyond is from a fork, even if it has used that seq
 * in another collection.
 */
export function proveUnknownWrite(context: ApplyContext, version: RemoteVersion): ForkProof | undefined {
  const { replica } = context.own;
  let seq = version.replica === replica ? version.seq : 0;
  for (const line of version.context) if (line.replica === replica) seq = Math.max(seq, line.last);
  if (seq === 0) return undefined;
  return !knows(context.collection(version.collection).knowledge, replica, seq)
    ? { replica, seq, theirs: null, ours: null, why: 'above-own-seq' }
    : undefined;
}

/** The held versions that the claim's knowledge covers, but that the sender's live set neither confirms nor reports missing (R5). */
export function unconfirmedVersions(context: ApplyContext, claim: RemoteClaim, pageSize: number): PlacedDot[] {
  const { liveSet } = claim;
  if (liveSet === undefined) return [];
  const missing = new Set(liveSet.missing.map(({ dot }) => `${dot.replica}:${dot.seq}`));
  const open: PlacedDot[] = [];
  for (let after = liveSet.comparedFrom; ; ) {
    const page = context.store.changes(after, pageSize);
    for (const document of page) {
      if (document.collection !== claim.collection) continue;
      for (const { replica, seq } of document.versions) {
        if (!isJudged(context, claim, { replica, seq })) continue;
        if (!liveSet.isConfirmed({ replica, seq }) && !missing.has(`${replica}:${seq}`))
          open.push({ key: document.key, dot: { replica, seq } });
      }
    }
    if (page.length < pageSize) return open;
    after = page.at(-1)!.pos;
  }
}

/**
 * R5, ADR 0015: drops versions that are gone ahead of the claim, if the knowledge of this node already covers each of them and
 * its whole context, so that nothing of it can come back. The purge line rises with them, so a node that never gets the claim
 * from here still compares. Returns the versions that have to wait for the claim.
 */
export function draftGone(context: ApplyContext, claim: RemoteClaim, gone: readonly PlacedDot[]): PlacedDot[] {
  const { draft } = context;
  const { knowledge, state } = context.collection(claim.collection);
  if (state !== 'wanted' || proveFork(context, claim.knowledge.get(context.own.replica)) !== undefined)
    return [...gone];
  const waiting = gone.filter(({ key, dot }) => {
    const held = draft.read(claim.collection, key)?.versions.find((version) => isSameDot(version, dot));
    if (held === undefined) return false;
    if (!isJudged(context, claim, dot) || !knows(knowledge, dot.replica, dot.seq)) return true;
    if (!knowsAll(knowledge, held.context)) return true;
    draftDrop(context, claim, key, dot);
    return false;
  });
  if (waiting.length < gone.length) draft.raisePurgeLine(claim.collection, claim.purged);
  return waiting;
}

/** R4–R6: drops the versions that the sender's live set lacks, then joins knowledge and purge line. */
export function draftClaim(context: ApplyContext, claim: RemoteClaim): ForkEvidence[] {
  const { draft } = context;
  for (const { key, dot } of claim.liveSet?.missing ?? [])
    if (isJudged(context, claim, dot)) draftDrop(context, claim, key, dot);
  const held = context.collection(claim.collection).knowledge;
  const forks: ForkEvidence[] = [];
  for (const [replica, known] of claim.knowledge) {
    if (replica === context.own.replica) continue;
    const fork = forkBetween(replica, held.get(replica), known);
    if (fork !== undefined) forks.push(fork);
    if (!knows(held, replica, known.seq) || held.get(replica)?.check === null)
      draft.know(claim.collection, replica, known);
  }
  draft.raisePurgeLine(claim.collection, claim.purged);
  return forks;
}

/** R5: only versions that the claim covers may be dropped, and versions of this replica only if the sender has a check of it. */
function isJudged(context: ApplyContext, claim: RemoteClaim, dot: Dot): boolean {
  if (!knows(claim.knowledge, dot.replica, dot.seq)) return false;
  return dot.replica !== context.own.replica || claim.knowledge.get(dot.replica)!.check !== null;
}

/**
 * R5, ADR 0002: a tombstone stays until its whole context is known here. The sender may have learned the rest, and purged the
 * tombstone, after the knowledge that it claims. What the tombstone replaced could still arrive from elsewhere, and only the
 * tombstone would keep it from coming back.
 */
function isNeeded(context: ApplyContext, claim: RemoteClaim, version: Version): boolean {
  const { knowledge } = context.collection(claim.collection);
  const isKnown = ({ replica, last }: Line): boolean =>
    knows(claim.knowledge, replica, last) || knows(knowledge, replica, last);
  return version.value === null && !version.context.every(isKnown);
}

function draftDrop(context: ApplyContext, claim: RemoteClaim, key: DocumentKey, dot: Dot): void {
  const { collection } = claim;
  const before = context.draft.read(collection, key);
  if (before === undefined) return;
  const after = dropVersions(before, (version) => isSameDot(version, dot) && !isNeeded(context, claim, version));
  if (after === before) return;
  if (after === undefined) context.draft.remove(before, 'dropped');
  else context.draft.put(collection, key, before, after);
}
