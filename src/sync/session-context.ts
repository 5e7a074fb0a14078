import type { Limits, TIMES } from '../core/config/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import type { CollectionDefinition } from '../core/replication/index.ts';
import type { Knowledge } from '../core/version/index.ts';
import type { HelloMessage, Message } from '../net/messages/index.ts';
import type { SessionEffect, SessionEvent } from './effects.ts';
import type { SyncReplica } from './replica-port.ts';
import type { RoundGate } from './round-gate.ts';
import { DigestCache, hasHistory } from './summary.ts';

export type SessionTimes = { readonly [Name in keyof typeof TIMES]: number };

/** What a session depends on; the same in the simulator and in a real node. */
export interface SessionDeps {
  readonly replica: SyncReplica;
  readonly gate: RoundGate;
  /** Shared by the sessions of one node, which all need digests of the same state. Default: a cache of its own. */
  readonly digests?: DigestCache;
  readonly limits: Limits;
  readonly times: SessionTimes;
  /** The greeting of this node; its `wallMs` is replaced when it is sent. */
  readonly hello: () => HelloMessage;
  /** How the program of this node defines collections. A changed entry is a different object. */
  readonly definitions: () => ReadonlyMap<CollectionName, CollectionDefinition>;
  /** Wall clock, ms. */
  readonly wallMs: () => number;
}

/** Shared by both directions of one session: the peer, the time of the running step, and the effects that it collects. */
export class SessionContext {
  readonly deps: SessionDeps;
  readonly #digests: DigestCache;
  peer: HelloMessage | undefined;
  /** Monotonic time of the running step, ms. */
  nowMs = 0;
  /** What this end has said that it knows, in the last `want` of each collection. */
  readonly told = new Map<CollectionName, Knowledge>();
  #effects: SessionEffect[] = [];
  #ours: ((name: CollectionName) => boolean) | undefined;
  #theirs: ((name: CollectionName) => boolean) | undefined;

  constructor(deps: SessionDeps) {
    this.deps = deps;
    this.#digests = deps.digests ?? new DigestCache();
  }

  get replica(): SyncReplica {
    return this.deps.replica;
  }

  /** Sends a message that says nothing about the database: it leaves immediately. */
  send(message: Message): void {
    this.#effects.push({ kind: 'send', message, afterCommits: 0 });
  }

  /** R1: sends a message that rests on this node's rows, knowledge or purge lines, once everything committed now is durable. */
  sendDurable(message: Message): void {
    this.#effects.push({ kind: 'send', message, afterCommits: this.replica.commits });
  }

  effect(effect: SessionEffect): void {
    this.#effects.push(effect);
  }

  event(event: SessionEvent): void {
    this.#effects.push({ kind: 'event', event });
  }

  takeEffects(): SessionEffect[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }

  /** Whether both ends want the collection, according to their hellos. When wants change, sessions end. */
  isShared(name: CollectionName): boolean {
    this.#ours ??= wanted(this.deps.hello());
    if (this.peer !== undefined) this.#theirs ??= wanted(this.peer);
    return this.#ours(name) && (this.#theirs?.(name) ?? false) && this.replica.collection(name).state === 'wanted';
  }

  /** Digests of the collections that both ends want and that have any history here. */
  sharedDigests(): Map<CollectionName, Uint8Array> {
    const digests = new Map<CollectionName, Uint8Array>();
    for (const collection of this.replica.collections())
      if (hasHistory(collection) && this.isShared(collection.name))
        digests.set(collection.name, this.#digests.digest(collection));
    return digests;
  }

  /** Whether a collection is one of those in `sharedDigests`. */
  counts(name: CollectionName): boolean {
    return this.isShared(name) && hasHistory(this.replica.collection(name));
  }
}

function wanted({ collections }: HelloMessage): (name: CollectionName) => boolean {
  if (collections === null) return () => true;
  const names = new Set(collections);
  return (name) => names.has(name);
}
