import type { Address } from '../transport.ts';
import type { Beacon } from './beacon.ts';
import type { Proximity } from './datagram-port.ts';
import type { DiscoveredPeer, DiscoveryEvent } from './events.ts';
import { admitSequence, EMPTY_WINDOW, type ReplayWindow } from './replay-window.ts';

/** How many earlier lives of a device are remembered, so that recorded beacons of them are ignored. */
const PAST_STARTS_MAX = 8;
const RANK: Record<Proximity, number> = { host: 0, link: 1, far: 2 };

export interface PeerTableOptions {
  /** How many devices are remembered, including silent ones. Beyond that, the one silent for longest is forgotten. */
  readonly peersMax: number;
  readonly addressesPerPeerMax: number;
  readonly expiryMs: number;
}

interface HeardAddress extends Address {
  readonly proximity: Proximity;
  heardAt: number;
}

interface Row {
  readonly deviceKey: string;
  startTag: string;
  replicaTag: string;
  relaysAll: boolean;
  window: ReplayWindow;
  pastStarts: readonly string[];
  addresses: readonly HeardAddress[];
  clockOffsetMs: number;
  heardAt: number;
  isAlive: boolean;
}

/** Where a verified beacon came from. */
export interface BeaconSource {
  readonly host: string;
  readonly proximity: Proximity;
}

/**
 * The devices that were heard: pure bookkeeping of verified beacons. A row stays after its expiry until its room is needed,
 * so that recorded beacons cannot bring back a device that has gone. A recorded start that this node never heard can pass
 * once as a restart. That costs one dial, in which the other end must prove its key.
 */
export class PeerTable {
  readonly #options: PeerTableOptions;
  /** In the order in which they were last heard, oldest first. */
  readonly #rowsByKey = new Map<string, Row>();
  /** When a verified beacon last came from each source address, in the same order. */
  readonly #heardAtByHost = new Map<string, number>();

  constructor(options: PeerTableOptions) {
    this.#options = options;
  }

  /** Devices that are not expired. */
  peers(): DiscoveredPeer[] {
    return [...this.#rowsByKey.values()].filter((row) => row.isAlive).map(toPeer);
  }

  /** Whether a verified beacon came from this host recently. */
  isSource(host: string, nowMs: number): boolean {
    const heardAt = this.#heardAtByHost.get(host);
    return heardAt !== undefined && nowMs - heardAt < this.#options.expiryMs;
  }

  /** Takes in one verified beacon and returns what it changes; undefined if it was heard before. */
  hear(beacon: Beacon, source: BeaconSource, nowMs: number, wallMs: number): DiscoveryEvent[] | undefined {
    const row = this.#rowsByKey.get(beacon.deviceKey) ?? newRow(beacon);
    const isNewStart = row.startTag !== beacon.startTag;
    if (isNewStart && row.pastStarts.includes(beacon.startTag)) return undefined;
    const window = admitSequence(isNewStart ? EMPTY_WINDOW : row.window, beacon.sequence);
    if (window === undefined) return undefined;

    const before = isNewStart || !row.isAlive ? [] : row.addresses;
    const isBack = !row.isAlive;
    const isSameRole = row.relaysAll === beacon.relaysAll;
    if (isNewStart) row.pastStarts = [row.startTag, ...row.pastStarts].slice(0, PAST_STARTS_MAX);
    row.startTag = beacon.startTag;
    row.replicaTag = beacon.replicaTag;
    row.relaysAll = beacon.relaysAll;
    row.window = window;
    row.addresses = this.#withAddress(before, { ...source, port: beacon.tcpPort, heardAt: nowMs }, nowMs);
    row.clockOffsetMs = beacon.wallMs - wallMs;
    row.heardAt = nowMs;
    row.isAlive = true;
    moveToEnd(this.#rowsByKey, row.deviceKey, row);
    this.#noteSource(source.host, nowMs);

    if (isNewStart) return [{ kind: 'restarted', peer: toPeer(row) }];
    if (isBack) return [{ kind: 'found', peer: toPeer(row) }, ...this.#forgetOldest()];
    return isSameRole && isSameList(before, row.addresses) ? [] : [{ kind: 'moved', peer: toPeer(row) }];
  }

  /** Marks devices that have been silent for too long as gone. */
  expire(nowMs: number): DiscoveryEvent[] {
    const events: DiscoveryEvent[] = [];
    for (const row of this.#rowsByKey.values()) {
      if (!row.isAlive || nowMs - row.heardAt < this.#options.expiryMs) continue;
      row.isAlive = false;
      events.push({ kind: 'lost', deviceKey: row.deviceKey });
    }
    return events;
  }

  #noteSource(host: string, nowMs: number): void {
    moveToEnd(this.#heardAtByHost, host, nowMs);
    if (this.#heardAtByHost.size > this.#options.peersMax) {
      this.#heardAtByHost.delete(this.#heardAtByHost.keys().next().value as string);
    }
  }

  #withAddress(before: readonly HeardAddress[], heard: HeardAddress, nowMs: number): HeardAddress[] {
    const others = before
      .filter((a) => a.host !== heard.host || a.port !== heard.port)
      .filter((a) => nowMs - a.heardAt < this.#options.expiryMs && a.port === heard.port)
      .sort((a, b) => b.heardAt - a.heardAt)
      .slice(0, this.#options.addressesPerPeerMax - 1);
    return [heard, ...others].sort((a, b) => RANK[a.proximity] - RANK[b.proximity] || compareHosts(a, b));
  }

  #forgetOldest(): DiscoveryEvent[] {
    if (this.#rowsByKey.size <= this.#options.peersMax) return [];
    const oldest = this.#rowsByKey.values().next().value as Row;
    this.#rowsByKey.delete(oldest.deviceKey);
    return oldest.isAlive ? [{ kind: 'lost', deviceKey: oldest.deviceKey }] : [];
  }
}

/** Sets an entry and moves it to the end, so that the map stays in order of last change. */
function moveToEnd<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}

function newRow(beacon: Beacon): Row {
  return {
    deviceKey: beacon.deviceKey,
    startTag: beacon.startTag,
    replicaTag: beacon.replicaTag,
    relaysAll: beacon.relaysAll,
    window: EMPTY_WINDOW,
    pastStarts: [],
    addresses: [],
    clockOffsetMs: 0,
    heardAt: 0,
    isAlive: false,
  };
}

function compareHosts(a: Address, b: Address): number {
  return a.host < b.host ? -1 : Number(a.host > b.host);
}

function isSameList(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((one, i) => one.host === b[i]!.host && one.port === b[i]!.port);
}

function toPeer(row: Row): DiscoveredPeer {
  return {
    deviceKey: row.deviceKey,
    startTag: row.startTag,
    replicaTag: row.replicaTag,
    addresses: row.addresses.map(({ host, port }) => ({ host, port })),
    relaysAll: row.relaysAll,
    clockOffsetMs: row.clockOffsetMs,
  };
}
