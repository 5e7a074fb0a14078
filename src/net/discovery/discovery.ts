import type { Clock } from '../../core/clock/index.ts';
import { LIMITS, type Limits, TIMES } from '../../core/config/index.ts';
import type { Random } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { AnnounceSchedule } from './announce-schedule.ts';
import { type Beacon, decodeBeacon, encodeBeacon, findBeaconKey, foreignPort } from './beacon.ts';
import { type BeaconKey, beaconTag } from './beacon-key.ts';
import { CheckBudget } from './check-budget.ts';
import type { Datagram, DatagramPort, InterfaceState } from './datagram-port.ts';
import type { DiscoveredPeer, DiscoveryEvent } from './events.ts';
import { PeerTable } from './peer-table.ts';

const TWINS_REMEMBERED_MAX = 64;
const FORGERY_LOG_GAP_MS = 60_000;

export interface DiscoveryOptions {
  /** UDP port that all nodes of the network share; 0 picks a free one. */
  readonly udpPort: number;
  /** The TCP port that this node listens on for channels. */
  readonly tcpPort: number;
  /** The same as `Channel.ownKey`. */
  readonly deviceKey: string;
  readonly replica: string;
  /** Whether this node keeps every collection; called for each announcement. Default: true. */
  readonly relaysAll?: () => boolean;
  /** The first key signs, all of them verify: there are several while the cluster key changes. At least one. */
  readonly keys: readonly BeaconKey[];
  readonly limits?: Partial<
    Pick<Limits, 'peersMax' | 'addressesPerPeerMax' | 'beaconChecksPerSecondMax' | 'beaconChecksPerSourceMax'>
  >;
}

export interface DiscoveryDeps {
  readonly port: DatagramPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** Called for each event, in order. Must not throw. */
  readonly onEvent: (event: DiscoveryEvent) => void;
}

/** What became of the datagrams received since the start. */
export interface DatagramCounts {
  /** Not beacons, or beacons of other clusters: dropped unread. */
  foreign: number;
  /** Over the budget for signature checks: dropped unread. */
  throttled: number;
  forged: number;
  own: number;
  /** Heard before, or of an earlier start. */
  repeated: number;
  accepted: number;
}

export interface DiscoveryDescription {
  readonly udpPort: number;
  readonly announcements: number;
  readonly received: Readonly<DatagramCounts>;
  readonly interfaces: readonly InterfaceState[];
}

type OwnTags = Pick<Beacon, 'startTag' | 'replicaTag'>;

/**
 * Finds the other nodes of the cluster on the local network and makes this node findable: it announces by beacons, hears
 * those of others, and never answers one. It can be started once and closed once. It does not dial: `src/net/peers` does.
 */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #deps: DiscoveryDeps;
  readonly #logger: Logger;
  readonly #schedule: AnnounceSchedule;
  readonly #table: PeerTable;
  readonly #budget: CheckBudget;
  readonly #received: DatagramCounts = { foreign: 0, throttled: 0, forged: 0, own: 0, repeated: 0, accepted: 0 };
  readonly #twinsReported = new Set<string>();
  /** New for each Discovery, like the sequence: a second one in the same process looks like a restarted node. */
  readonly #startId: string;
  readonly #startedWallMs: number;
  readonly #ownTagsByKey = new Map<BeaconKey, OwnTags>();
  #keys: readonly BeaconKey[];
  #replica: string;
  #udpPort = 0;
  #sequence = 0;
  #announcements = 0;
  #forgeryLoggedAt = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #state: 'new' | 'running' | 'closed' = 'new';

  constructor(options: DiscoveryOptions, deps: DiscoveryDeps) {
    const limits = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.#deps = deps;
    this.#logger = deps.logger ?? silentLogger;
    this.#keys = requireKeys(options.keys);
    this.#replica = options.replica;
    this.#startId = Buffer.from(deps.random.bytes(16)).toString('hex');
    this.#startedWallMs = deps.clock.now();
    this.#schedule = new AnnounceSchedule(TIMES.beaconIntervalMs, deps.random);
    this.#table = new PeerTable({ ...limits, expiryMs: TIMES.beaconExpiryMs });
    this.#budget = new CheckBudget({
      perSecondMax: limits.beaconChecksPerSecondMax,
      perSourceMax: limits.beaconChecksPerSourceMax,
      salt: Math.floor(deps.random.next() * 2 ** 32),
    });
  }

  /** Opens the port, starts to announce, and resolves with the port's number. Rejects as `DatagramPort.bind`. Call it once. */
  async start(): Promise<number> {
    if (this.#state !== 'new') throw new TypeError('a discovery can be started once');
    this.#state = 'running';
    this.#udpPort = await this.#deps.port.bind(this.#options.udpPort, (datagram) => this.#receive(datagram));
    if (this.#isClosed()) return this.#udpPort;
    this.#schedule.start(this.#now());
    this.#wake();
    this.#poll();
    return this.#udpPort;
  }

  /** The devices heard within the last 15 seconds. */
  peers(): readonly DiscoveredPeer[] {
    return this.#table.peers();
  }

  /** Announces this replica id of the node from now on; the node may have taken a new one (R9). */
  setReplica(replica: string): void {
    if (replica === this.#replica) return;
    this.#replica = replica;
    this.#ownTagsByKey.clear();
    this.#schedule.hurry(this.#now());
    this.#arm();
  }

  /** Replaces the keys; at least one. */
  setKeys(keys: readonly BeaconKey[]): void {
    this.#keys = requireKeys(keys);
    this.#ownTagsByKey.clear();
    this.#schedule.hurry(this.#now());
    this.#arm();
  }

  /** For diagnosis: the state of each interface, and counts of datagrams. */
  describe(): DiscoveryDescription {
    return {
      udpPort: this.#udpPort,
      announcements: this.#announcements,
      received: { ...this.#received },
      interfaces: this.#deps.port.describe(),
    };
  }

  /** Stops announcing and listening. No event follows. May be called again. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#cancelTimer?.();
    this.#cancelPoll?.();
    await this.#deps.port.close();
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #now(): number {
    return this.#deps.clock.monotonic();
  }

  /** Announces if it is time, expires silent peers, and arms the timer for the next time. */
  #wake(): void {
    const now = this.#now();
    if (now >= this.#schedule.nextAt) {
      this.#announce();
      this.#schedule.announced(now);
    }
    this.#emitAll(this.#table.expire(now));
    this.#arm();
  }

  #arm(): void {
    this.#cancelTimer?.();
    if (this.#state !== 'running') return;
    // A resolution of one second is enough for expiry.
    const delayMs = Math.min(1000, Math.max(0, this.#schedule.nextAt - this.#now()));
    this.#cancelTimer = this.#deps.clock.setTimer(delayMs, () => this.#wake());
  }

  #poll(): void {
    this.#cancelPoll = this.#deps.clock.setTimer(TIMES.interfacePollMs, () => {
      if (this.#deps.port.refresh()) {
        this.#logger.info({ interfaces: this.#deps.port.describe().length }, 'network interfaces changed');
        this.#schedule.start(this.#now());
        this.#arm();
        this.#emit({ kind: 'interfaces-changed' });
      }
      if (!this.#isClosed()) this.#poll();
    });
  }

  /** Each target gets its own sequence number, so that a receiver counts the beacon once per path, not just once. */
  #announce(): void {
    const key = this.#keys[0]!;
    const { deviceKey, tcpPort } = this.#options;
    const relaysAll = this.#options.relaysAll?.() ?? true;
    const fields = { deviceKey, tcpPort, ...this.#ownTags(key), relaysAll, wallMs: this.#deps.clock.now() };
    for (const target of this.#deps.port.targets()) {
      this.#deps.port.send(encodeBeacon({ ...fields, sequence: this.#sequence++ }, key), target);
    }
    this.#announcements++;
  }

  #ownTags(key: BeaconKey): OwnTags {
    let tags = this.#ownTagsByKey.get(key);
    if (tags === undefined) {
      const startTag = beaconTag(key, 'life', this.#startId);
      tags = { startTag, replicaTag: beaconTag(key, 'replica', this.#replica) };
      this.#ownTagsByKey.set(key, tags);
    }
    return tags;
  }

  #receive(datagram: Datagram): void {
    if (this.#isClosed()) return;
    const now = this.#now();
    const key = findBeaconKey(datagram.bytes, this.#keys);
    if (key === undefined) {
      this.#received.foreign++;
      const port = foreignPort(datagram.bytes);
      if (port !== undefined) this.#emit({ kind: 'foreign', address: { host: datagram.host, port } });
      return;
    }
    if (!this.#budget.take(datagram.host, this.#table.isSource(datagram.host, now), now)) {
      this.#received.throttled++;
      return;
    }
    const beacon = decodeBeacon(datagram.bytes, key);
    if (beacon === undefined) this.#noteForgery(datagram, now);
    else this.#hear(beacon, key, datagram, now);
  }

  #hear(beacon: Beacon, key: BeaconKey, datagram: Datagram, now: number): void {
    const isOwnDevice = beacon.deviceKey === this.#options.deviceKey;
    const isOwnStart = beacon.startTag === this.#ownTags(key).startTag;
    if (!isOwnStart) this.#watchForTwin(beacon, key, datagram, isOwnDevice);
    if (isOwnDevice) {
      this.#received.own++;
      return;
    }
    const events = this.#table.hear(beacon, datagram, now, this.#deps.clock.now());
    if (events === undefined) {
      this.#received.repeated++;
      return;
    }
    this.#received.accepted++;
    this.#emitAll(events);
    if (events.some((event) => event.kind === 'found' || event.kind === 'restarted')) {
      this.#schedule.hurry(now);
      this.#arm();
    }
  }

  #watchForTwin(beacon: Beacon, key: BeaconKey, datagram: Datagram, sameDevice: boolean): void {
    const sameReplica = beacon.replicaTag === this.#ownTags(key).replicaTag;
    if (!sameReplica && !sameDevice) return;
    if (sameDevice && beacon.wallMs < this.#startedWallMs) return;
    const twin = `${beacon.startTag} ${sameReplica} ${sameDevice}`;
    if (this.#twinsReported.has(twin) || this.#twinsReported.size >= TWINS_REMEMBERED_MAX) return;
    this.#twinsReported.add(twin);
    const address = { host: datagram.host, port: beacon.tcpPort };
    this.#logger.warn(
      { deviceKey: beacon.deviceKey, address, sameReplica, sameDevice },
      'a twin of this node was heard',
    );
    this.#emit({ kind: 'twin', deviceKey: beacon.deviceKey, sameReplica, sameDevice, address });
  }

  /** Anybody can send rubbish: it is counted, and logged at most once a minute. */
  #noteForgery(datagram: Datagram, now: number): void {
    this.#received.forged++;
    if (now - this.#forgeryLoggedAt < FORGERY_LOG_GAP_MS) return;
    this.#forgeryLoggedAt = now;
    this.#logger.warn(
      { host: datagram.host, forged: this.#received.forged },
      'a beacon with a wrong signature was dropped',
    );
  }

  #emitAll(events: readonly DiscoveryEvent[]): void {
    for (const event of events) {
      if (event.kind === 'found') this.#logger.info({ ...event.peer }, 'peer discovered');
      else if (event.kind !== 'moved') this.#logger.debug({ event }, 'discovery');
      this.#emit(event);
    }
  }

  #emit(event: DiscoveryEvent): void {
    if (!this.#isClosed()) this.#deps.onEvent(event);
  }
}

function requireKeys(keys: readonly BeaconKey[]): readonly BeaconKey[] {
  if (keys.length === 0) throw new RangeError('discovery needs a beacon key');
  return keys;
}
