/** Test support: supervisors on a network in memory and a manual clock; the test says who hears whom. */
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { RetryPolicy } from '../../core/retry/index.ts';
import { createManualClock, createMemoryNetwork, createSeededRandom, type ManualClock } from '../../testing/index.ts';
import type { DiscoveredPeer, DiscoveryEvent } from '../discovery/index.ts';
import type { Address, Channel, DialOptions, Listener, Transport } from '../transport.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';

const PORT = 5000;

type NodeOptions = Partial<SupervisorOptions> & { readonly logger?: Logger };

export interface World {
  readonly clock: ManualClock;
  readonly seed: number;
  /** Advances time and lets promises settle at each timer. */
  run(ms: number): Promise<void>;
  /** Runs until the claim holds and returns how long that took, ms; throws after `msMax`. */
  runUntil(claim: () => boolean, msMax: number): Promise<number>;
  setReachable(a: string, b: string, isReachable: boolean): void;
  /** `host`: where the node listens; default: its name. `onDial` intercepts each dial; default: it is performed. */
  startNode(
    name: string,
    options?: NodeOptions,
    host?: string,
    onDial?: (dial: () => Promise<Channel>, address: Address, options: DialOptions) => Promise<Channel>,
  ): Promise<WorldNode>;
}

export interface WorldNode {
  readonly name: string;
  readonly host: string;
  readonly supervisor: Supervisor;
  readonly transport: Transport;
  /** Live links, as `onLink` and `onLinkClosed` reported them. */
  readonly links: Set<Channel>;
  /** The reasons of links that ended. */
  readonly ends: string[];
  /** Addresses that were dialled, and when. */
  readonly dials: { readonly host: string; readonly at: number }[];
  linkCount: number;
  /** Its links send nothing. Default false: a ping at each interval. */
  isMute: boolean;
  hears(other: WorldNode, kind?: 'found' | 'restarted' | 'moved', relaysAll?: boolean): void;
  /** Ends the node like a killed process: no goodbye message, and nobody listens any more. */
  crash(): Promise<void>;
}

export function createWorld(seed: number): World {
  const clock = createManualClock();
  const network = createMemoryNetwork({ clock, latencyMs: 1 });
  const random = createSeededRandom(seed);

  const run = async (ms: number): Promise<void> => {
    const end = clock.monotonic() + ms;
    for (;;) {
      await settle();
      const at = clock.nextTimerAt();
      if (at === undefined || at > end) break;
      clock.advance(at - clock.monotonic());
    }
    clock.advance(end - clock.monotonic());
    await settle();
  };

  return {
    clock,
    seed,
    run,
    async runUntil(claim, msMax) {
      const startedAt = clock.monotonic();
      for (await run(0); !claim(); await run(10)) {
        if (clock.monotonic() - startedAt > msMax) throw new Error(`not within ${msMax} ms (seed ${seed})`);
      }
      return clock.monotonic() - startedAt;
    },
    setReachable(a, b, isReachable) {
      network.setReachable(a, b, isReachable);
      network.setReachable(b, a, isReachable);
    },
    async startNode(name, options = {}, host = name, onDial = (dial) => dial()) {
      const transport = network.createTransport({ deviceKey: name, host });
      const inner: Transport = {
        listen: (given) => transport.listen(given),
        dial: (address, given = {}) => onDial(() => transport.dial(address, given), address, given),
      };
      return startNode(name, host, inner, clock, random.fork(), options);
    },
  };
}

async function startNode(
  name: string,
  host: string,
  inner: Transport,
  clock: Clock,
  random: ReturnType<typeof createSeededRandom>,
  { logger, ...options }: NodeOptions,
): Promise<WorldNode> {
  const dials: { host: string; at: number }[] = [];
  const transport: Transport = {
    listen: (given) => inner.listen(given),
    dial: (address, given) => {
      dials.push({ host: address.host, at: clock.monotonic() });
      return inner.dial(address, given);
    },
  };
  const links = new Set<Channel>();
  const ends: string[] = [];
  const pings = new Map<Channel, () => void>();
  /** Real sessions ping at intervals; a link without them would be taken for dead. */
  const ping = (channel: Channel): void => {
    if (!node.isMute) channel.send(new Uint8Array(1));
    pings.set(
      channel,
      clock.setTimer(TIMES.pingIntervalMs, () => ping(channel)),
    );
  };
  const supervisor = new Supervisor(
    { ownKey: name, ...options },
    {
      transport,
      retry: new RetryPolicy({ clock, random }),
      clock,
      random,
      ...(logger && { logger }),
      onLink: (channel) => {
        links.add(channel);
        node.linkCount++;
        ping(channel);
      },
      onLinkClosed: (channel, reason) => {
        links.delete(channel);
        pings.get(channel)?.();
        ends.push(reason);
      },
    },
  );
  const listener: Listener = await inner.listen({ host, port: PORT, onChannel: (c) => supervisor.accept(c) });
  supervisor.start();
  const node: WorldNode = {
    name,
    host,
    supervisor,
    transport,
    links,
    ends,
    dials,
    linkCount: 0,
    isMute: false,
    hears: (other, kind = 'found', relaysAll = true) =>
      supervisor.discovered(eventOf(kind, other.name, [other.host], relaysAll)),
    async crash() {
      await listener.close();
      await supervisor.close();
    },
  };
  return node;
}

export function addressOf(name: string): Address {
  return { host: name, port: PORT };
}

export function eventOf(
  kind: 'found' | 'restarted' | 'moved',
  name: string,
  hosts: readonly string[] = [name],
  relaysAll = true,
): DiscoveryEvent {
  const peer: DiscoveredPeer = {
    deviceKey: name,
    startTag: name,
    replicaTag: name,
    addresses: hosts.map(addressOf),
    relaysAll,
    clockOffsetMs: 0,
  };
  return { kind, peer };
}

/** Makes every node hear every other. */
export function introduce(nodes: readonly WorldNode[]): void {
  for (const node of nodes) for (const other of nodes) if (other !== node) node.hears(other);
}

/** The device keys of a node's links, sorted. */
export function linked(node: WorldNode): string[] {
  return [...node.links].map((channel) => channel.peerKey).sort();
}

/** Whether every node is linked with every other exactly once. */
export function isFullMesh(nodes: readonly WorldNode[]): boolean {
  return nodes.every((node) => new Set(linked(node)).size === nodes.length - 1 && node.links.size === nodes.length - 1);
}

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
