import { hash } from 'node:crypto';
import { compareBytes, type ReplicaId } from '../ids/index.ts';
import type { Context } from './context.ts';

declare const checkBrand: unique symbol;
/** 64 bits of a running hash over a replica's commits, as 16 hex digits. Only its owner can compute it. */
export type Check = string & { readonly [checkBrand]: true };

export const FIRST_CHECK: Check = '0000000000000000' as Check;

/** Undefined if the text is not a check. */
export function parseCheck(text: unknown): Check | undefined {
  return typeof text === 'string' && /^[0-9a-f]{16}$/.test(text) ? (text as Check) : undefined;
}

/** The check after a commit whose versions have these digests. */
export function nextCheck(check: Check, digests: readonly Uint8Array[]): Check {
  return hash('sha256', Buffer.concat([Buffer.from(check, 'hex'), ...digests]), 'hex').slice(0, 16) as Check;
}

/** "Of every write of this replica up to `seq` I hold the version, or one that replaced it, or I purged its tombstone." */
export interface Known {
  readonly seq: number;
  /** The replica's check at `seq`; null if it is not known (after a fork was resolved). */
  readonly check: Check | null;
}

/** Knowledge of one collection. Entries are never removed: a disk in a drawer may still hold any replica. */
export type Knowledge = ReadonlyMap<ReplicaId, Known>;
/** Join of the dots of all tombstones of one collection ever purged here, or at a peer whose claim was adopted. */
export type PurgeLine = ReadonlyMap<ReplicaId, number>;

export function knows(knowledge: Knowledge, replica: ReplicaId, seq: number): boolean {
  const known = knowledge.get(replica);
  return known !== undefined && known.seq >= seq;
}

export function knowsAll(knowledge: Knowledge, context: Context): boolean {
  return context.every((line) => knows(knowledge, line.replica, line.last));
}

/** Whether `a` knows all that `b` knows. */
export function dominates(a: Knowledge, b: Knowledge): boolean {
  for (const [replica, { seq }] of b) if (!knows(a, replica, seq)) return false;
  return true;
}

/** Two checks for one (replica, seq): proof that two lives wrote under one id (R9). */
export interface ForkEvidence {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly checks: readonly [Check, Check];
}

/** The proof of a fork if two entries contradict each other, otherwise undefined. */
export function forkBetween(replica: ReplicaId, a: Known | undefined, b: Known | undefined): ForkEvidence | undefined {
  if (a === undefined || b === undefined || a.seq !== b.seq) return undefined;
  if (a.check === null || b.check === null || a.check === b.check) return undefined;
  return { replica, seq: a.seq, checks: [a.check, b.check] };
}

/** The entry with the higher seq; of equal ones, the one with a check. */
export function newerKnown(a: Known | undefined, b: Known): Known {
  if (a === undefined || a.seq < b.seq) return b;
  return a.seq === b.seq && a.check === null ? b : a;
}

/** Merges `other` into `into`, which is changed in place. */
export function joinKnowledge(into: Map<ReplicaId, Known>, other: Knowledge): void {
  for (const [replica, known] of other) into.set(replica, newerKnown(into.get(replica), known));
}

/** Entries in byte order of the replica, for digests and for the wire. */
export function sortedByReplica<T>(map: ReadonlyMap<ReplicaId, T>): [ReplicaId, T][] {
  return [...map].sort(([a], [b]) => compareBytes(a, b));
}
