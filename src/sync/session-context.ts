import type { Limits, TIMES } from '../core/config/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import type { CollectionDefinition } from '../core/replication/index.ts';
import type { HelloMessage, Message } from '../net/messages/index.ts';
import type { SessionEffect, SessionEvent } from './effects.ts';
import type { SyncReplica } from './replica-port.ts';
import type { RoundGate } from './round-gate.ts';
import { DigestCache, hasHistory } from './summary.ts';

export type SessionTimes = { readonly [Name in keyof typeof TIMES]: number };

/** What a session is made of; the same for the simulator and for life. */
export interface SessionDeps {
  readonly replica: SyncReplica;
  readonly gate: RoundGate;
  /** Shared by the sessions of one node, which all want the digest of the same state. Default: one of its own. */
  readonly digests?: DigestCache;
  readonly limits: Limits;
  readonly times: SessionTimes;
  /** What this node says of itself; `wallMs` is asked for at the moment of sending. */
  readonly hello: () => HelloMessage;
  /** How the program of this node defines collections; an entry is another object when it has changed. */
  readonly definitions: () => ReadonlyMap<CollectionName, CollectionDefinition>;
  /** Wall clock, ms. */
  readonly wallMs: () => number;
}

/** Shared by both directions of one session: the peer, the time of the step, and the effects that it collects. */
export class SessionContext {
  readonly deps: SessionDeps;
  readonly #digests: DigestCache;
  peer: HelloMessage | undefined;
  /** Monotonic time of the step that runs, ms. */
  nowMs = 0;
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

  /** For what says nothing of the database: leaves at once. */
  send(message: Message): void {
    this.#effects.push({ kind: 'send', message, afterCommits: 0 });
  }

  /** R1: what rests on this node's rows, knowledge or purge lines leaves it when all that is committed now is durable. */
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

  /** Whether both ends want the collection. Wants are those of the hellos: when they change, sessions end. */
  isShared(name: CollectionName): boolean {
    this.#ours ??= wanted(this.deps.hello());
    if (this.peer !== undefined) this.#theirs ??= wanted(this.peer);
    return this.#ours(name) && (this.#theirs?.(name) ?? false) && this.replica.collection(name).state === 'wanted';
  }

  /** Digests of the collections that both want and that have any history here. */
  sharedDigests(): Map<CollectionName, Uint8Array> {
    const digests = new Map<CollectionName, Uint8Array>();
    for (const collection of this.replica.collections())
      if (hasHistory(collection) && this.isShared(collection.name))
        digests.set(collection.name, this.#digests.digest(collection));
    return digests;
  }

  /** Whether a collection is one of those. */
  counts(name: CollectionName): boolean {
    return this.isShared(name) && hasHistory(this.replica.collection(name));
  }
}

function wanted({ collections }: HelloMessage): (name: CollectionName) => boolean {
  if (collections === null) return () => true;
  const names = new Set(collections);
  return (name) => names.has(name);
}
