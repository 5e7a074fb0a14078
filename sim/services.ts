import type { Clock } from '../src/core/clock/index.ts';
import type { Limits } from '../src/core/config/index.ts';
import type { CollectionName, DocumentKey } from '../src/core/ids/index.ts';
import { silentLogger } from '../src/core/logging/index.ts';
import type { Replica } from '../src/database/replica/index.ts';
import { Equality, type PeerEquality } from '../src/node/services/equality.ts';
import { Receipts } from '../src/resilience/receipts/index.ts';
import type { SessionEvent, SessionRunner } from '../src/sync/index.ts';
import type { SeededRandom } from '../src/testing/index.ts';
import { QueueProgram, type QueueServer } from './queue-program.ts';

/** What programs on a node do besides writing. */
export interface Programs {
  readonly server: QueueServer;
  readonly random: SeededRandom;
}

export interface ServicesDeps {
  readonly replica: Replica;
  readonly node: string;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly sessions: () => readonly SessionRunner[];
  /** R11: these rows, or others of the collection, are not as they were written. */
  readonly repair: (collection: CollectionName, keys: readonly DocumentKey[]) => void;
  readonly programs: Programs | undefined;
}

/** What one process of a node does with the events of its sessions, as `NodeServices` does in a real one. */
export class Services {
  readonly receipts: Receipts;
  readonly queue: QueueProgram | undefined;
  readonly #equality: Equality;

  constructor({ replica, node, clock, limits, sessions, repair, programs }: ServicesDeps) {
    const commitPending = (): void => {};
    this.receipts = new Receipts({ replica, node, clock, limits, logger: silentLogger, commitPending });
    this.#equality = new Equality({
      replica,
      clock,
      logger: silentLogger,
      soon: (run) => void clock.setTimer(0, run),
      sessions: () => sessions().filter(({ peer }) => peer !== undefined),
      commitPending,
      onDamage: (damage) => {
        if (damage.kind === 'document') repair(damage.collection, [damage.key]);
        if (damage.kind === 'collection') repair(damage.collection, []);
      },
      onDifferent: () => {},
    });
    this.queue = programs && new QueueProgram({ node, replica, clock, ...programs });
  }

  /** How many collections differed from a peer's in the newest comparisons, though both knew the same. */
  get different(): number {
    return this.#equality.different;
  }

  /** Compares with all linked peers. */
  verify(): Promise<PeerEquality[]> {
    return this.#equality.verify();
  }

  followed(event: SessionEvent, session: SessionRunner): void {
    const peer = session.channel.peerKey;
    if (event.kind === 'opened') this.receipts.met(peer, event.hello.node, event.hello.replica);
    if (event.kind === 'same') this.receipts.holdsTheSame(peer, event.collection);
    if (event.kind === 'confirmed') this.receipts.confirmed(peer, event.collection, event.replica, event.seq);
    this.#equality.followed(event, session);
  }

  /** The last session with the peer has ended. */
  left(peer: string): void {
    this.receipts.left(peer);
    this.#equality.left(peer);
  }

  /** The process ends. */
  stop(): void {
    this.#equality.stop();
    this.queue?.stop();
  }
}
