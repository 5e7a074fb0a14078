import type { Clock } from '../../core/clock/index.ts';
import { LIMITS, type Limits } from '../../core/config/index.ts';
import { isEntglDbError } from '../../core/errors/index.ts';
import { compareBytes, type Random } from '../../core/ids/index.ts';
import { type Logger, silentLogger } from '../../core/logging/index.ts';
import { type PeerTrouble, restlessRemedy } from '../../core/replication/index.ts';
import type { RetryPolicy } from '../../core/retry/index.ts';
import { addressText } from '../address-text.ts';
import type { DiscoveryEvent } from '../discovery/index.ts';
import type { Address, Channel, Transport } from '../transport.ts';
import { incomingStatus, targetStatus, toPeerError } from './describe-peer.ts';
import { dialBackoffMs, isRefusal } from './dial-backoff.ts';
import { DialRounds } from './dial-rounds.ts';
import { type Link, LinkTable } from './link-table.ts';
import { linkTroubles, type TroubleSources } from './link-troubles.ts';
import { ShortLinks } from './short-links.ts';
import type { PeerStatus, Target } from './target.ts';
import { TargetTable } from './target-table.ts';

/** A link that lasted this long counts as a success, a shorter one as a failure. */
const STABLE_MS = 5000;
/** A link that the mesh no longer wants is kept this long, because views fluctuate. */
const SURPLUS_MS = 60_000;
const HOUSEKEEPING_MS = 1000;
/** How often it is looked whether a configured address still leads to its peer, if that is linked in another way. */
const PROBE_MS = 600_000;

export interface SupervisorOptions {
  /** The same as `Channel.ownKey`. */
  readonly ownKey: string;
  /** Addresses that are dialled for ever, with or without discovery. More than `peersMax` throw a RangeError. */
  readonly knownPeers?: readonly Address[];
  /** Whether this node keeps every collection; called each second. Default: true. */
  readonly relaysAll?: () => boolean;
  readonly limits?: Partial<Pick<Limits, 'fullMeshNodesMax' | 'peersMax' | 'linksMax' | 'dialsMax'>>;
}

export interface SupervisorDeps {
  readonly transport: Pick<Transport, 'dial'>;
  /** Retries within one round of dialling. The supervisor starts the next round, for ever. */
  readonly retry: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /**
   * A new link, which the callee owns: it sets all three handlers before it returns. Must not throw. A link that replaces
   * another one to the same device may be reported before the end of the other.
   */
  readonly onLink: (channel: Channel) => void;
  /**
   * A link passed to `onLink` has ended; called once, after its own `onClose`. `isOver`: no other link with the device has taken its
   * place. Must not throw.
   */
  readonly onLinkClosed?: (channel: Channel, reason: string, isOver: boolean) => void;
}

/**
 * Keeps the node linked with its peers for ever: it dials, accepts incoming channels, settles duplicates, and starts over
 * whenever a link ends, with a back-off with full jitter. A channel that ended is not reopened; the supervisor makes a new
 * one. The back-off of a peer restarts after a link that lasted, when discovery hears the peer again or hears that it was
 * restarted, and when the network changes.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #deps: SupervisorDeps;
  readonly #limits: Limits;
  readonly #logger: Logger;
  readonly #targets: TargetTable;
  readonly #links: LinkTable;
  readonly #rounds: DialRounds;
  readonly #shortLinks: ShortLinks;
  #state: 'new' | 'running' | 'closed' = 'new';
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;

  constructor(options: SupervisorOptions, deps: SupervisorDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#logger = deps.logger ?? silentLogger;
    this.#shortLinks = new ShortLinks(this.#limits.peersMax);
    this.#targets = new TargetTable({
      ...this.#limits,
      ownKey: options.ownKey,
      relaysAll: options.relaysAll ?? (() => true),
      isLinked: (deviceKey) => this.#links.has(deviceKey),
    });
    this.#links = new LinkTable({
      clock: deps.clock,
      linksMax: this.#limits.linksMax,
      isWanted: (deviceKey) => this.#targets.isWanted(deviceKey),
      onLink: (link) => this.#linked(link),
      onEnd: (link, reason, isOver) => this.#ended(link, reason, isOver),
    });
    this.#rounds = new DialRounds(this.#limits.dialsMax, {
      ...deps,
      isWanted: (target) => this.#mayDial(target),
      isLinked: (target) => this.#isLinkedWell(target.deviceKey) && !this.#isProbe(target),
      onChannel: (target, channel) => this.#dialled(target, channel),
      onFailure: (target, error) => this.#failed(target, error),
      onOver: () => this.#wakeBy(this.#now()),
    });
    this.#addKnown(options.knownPeers ?? []);
  }

  /** Begins to dial. `accept` and `discovered` may be called earlier. */
  start(): void {
    if (this.#state !== 'new') throw new TypeError('a supervisor can be started once');
    this.#state = 'running';
    this.#work();
  }

  /**
   * Replaces the configured peers. New ones are dialled now. A link that this node dialled to a removed peer is closed as
   * `removed`, unless discovery wants it; a link that the peer dialled stays. Returns the device keys of the removed peers that
   * are neither wanted nor linked any more. Throws a RangeError for more than `peersMax`.
   */
  setKnown(addresses: readonly Address[]): string[] {
    if (this.#state === 'closed') return [];
    this.#addKnown(addresses);
    const gone = this.#targets.keepKnown(addresses).flatMap(({ deviceKey }) => deviceKey ?? []);
    const unwanted = gone.filter((deviceKey) => !this.#targets.isWanted(deviceKey));
    const ended = unwanted.filter((deviceKey) => this.#links.get(deviceKey)?.channel.dialled !== false);
    for (const deviceKey of ended) this.#links.get(deviceKey)?.channel.close('removed');
    if (this.#state === 'running') this.#work();
    return ended;
  }

  /** Takes an incoming channel: it becomes a link, or is closed with `self`, `duplicate`, `busy` or `closing`. */
  accept(channel: Channel): void {
    if (this.#state === 'closed') return channel.close('closing');
    if (channel.peerKey === this.#options.ownKey) return channel.close('self');
    this.#links.offer(channel);
  }

  /** Takes the events of discovery; ignores twins and other clusters. */
  discovered(event: DiscoveryEvent): void {
    if (this.#state === 'closed' || event.kind === 'twin' || event.kind === 'foreign') return;
    if (event.kind === 'interfaces-changed') return this.networkChanged();
    if (event.kind === 'lost') return this.#lost(event.deviceKey);
    const target = this.#targets.addDiscovered(event.peer, this.#now(), this.#deps.clock.now());
    if (target === undefined) return;
    target.lostAt = undefined;
    if (event.kind === 'moved') this.#dialSooner(target);
    else this.#restartDialling(target);
    if (event.kind === 'restarted') this.#links.suspect(event.peer.deviceKey);
    this.#wakeBy(target.dueAt);
  }

  /** The network has changed: every peer is dialled anew, and links must prove that they are alive. */
  networkChanged(): void {
    if (this.#state === 'closed') return;
    for (const target of this.#targets.all()) {
      target.isSelf = false;
      this.#restartDialling(target);
    }
    for (const link of this.#links.all()) this.#links.suspect(link.deviceKey);
    this.#wakeBy(this.#now());
  }

  /** Notes the name from the greeting of a linked peer. */
  nameNode(deviceKey: string, node: string): void {
    const link = this.#links.get(deviceKey);
    if (link !== undefined) link.node = node;
    for (const target of this.#targets.ofDevice(deviceKey)) {
      target.hasGreeted = true;
      target.node = node;
    }
  }

  isLinked(deviceKey: string): boolean {
    return this.#links.has(deviceKey);
  }

  /** Whether the last links with a device all ended within seconds. A Warning was logged then; the next ones deserve no line each. */
  isRestless(deviceKey: string): boolean {
    return this.#shortLinks.isRestless(deviceKey);
  }

  /** Every linked, configured or discovered peer: one entry per device, and one per address that has never answered. */
  status(): readonly PeerStatus[] {
    const statuses: PeerStatus[] = [];
    const shown = new Set<string>();
    for (const target of this.#targets.all()) {
      if (target.deviceKey !== undefined && shown.has(target.deviceKey)) continue;
      if (target.deviceKey !== undefined) shown.add(target.deviceKey);
      statuses.push(this.#statusOf(target));
    }
    for (const link of this.#links.all()) if (!shown.has(link.deviceKey)) statuses.push(incomingStatus(link));
    return statuses;
  }

  /** Nodes that are there, and whose links do not come or do not last. */
  troubles(): PeerTrouble[] {
    const sources: TroubleSources = {
      nowMs: this.#now(),
      isWanted: (deviceKey) => this.#targets.isWanted(deviceKey),
      linkOf: (deviceKey) => this.#links.get(deviceKey),
      isRestless: (deviceKey) => this.#shortLinks.isRestless(deviceKey),
    };
    return [...linkTroubles(this.#targets.all(), sources)];
  }

  /** Stops dialling and closes all links with reason `closing`. Resolves when no dial is under way any more. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#cancelTimer?.();
    for (const target of this.#targets.all()) target.round?.abort(new Error('closing'));
    this.#links.closeAll('closing');
    await this.#rounds.ended();
  }

  #addKnown(addresses: readonly Address[]): void {
    const { peersMax } = this.#limits;
    if (addresses.length > peersMax)
      throw new RangeError(`${addresses.length} known peers are more than the limit of ${peersMax} (peersMax)`);
    for (const address of addresses) this.#targets.addKnown(address, this.#now(), this.#deps.clock.now());
  }

  #now(): number {
    return this.#deps.clock.monotonic();
  }

  // What to do, and when.

  /** Calls `#work` at this monotonic time at the latest. */
  #wakeBy(at: number): void {
    if (this.#state !== 'running' || at >= this.#wakeAt) return;
    this.#cancelTimer?.();
    this.#wakeAt = at;
    this.#cancelTimer = this.#deps.clock.setTimer(Math.max(0, at - this.#now()), () => this.#work());
  }

  #work(): void {
    const now = this.#now();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#targets.refresh(now);
    this.#links.closeSilent();
    for (const link of this.#links.all()) this.#closeSurplus(link, now);
    this.#dialWaiting(now);
    this.#wakeBy(now + HOUSEKEEPING_MS);
  }

  #dialWaiting(now: number): void {
    const waiting = [...this.#targets.all()].filter((target) => this.#mayDial(target));
    for (const { dueAt } of waiting) if (dueAt > now) this.#wakeBy(dueAt);
    this.#wakeBy(this.#rounds.begin(waiting.filter(({ dueAt }) => dueAt <= now)));
  }

  #mayDial(target: Target): boolean {
    if (target.round !== undefined || target.isSelf) return false;
    const { deviceKey } = target;
    if (deviceKey === undefined) return true;
    if (this.#isLinkedWell(deviceKey) ? !this.#isProbe(target) : !this.#targets.isWanted(deviceKey)) return false;
    for (const other of this.#targets.ofDevice(deviceKey)) if (other.round !== undefined) return false;
    return true;
  }

  /** Its peer is linked, but not through the configured address, which may lead to another machine by now. */
  #isProbe({ kind, deviceKey, link, probeAt }: Target): boolean {
    if (kind !== 'known' || deviceKey === undefined || this.#now() < probeAt) return false;
    return this.#links.isSettled(deviceKey) && this.#links.get(deviceKey) !== link;
  }

  #closeSurplus(link: Link, now: number): void {
    // Only the dialler closes. If the other end still wants the link, it dials, and its link is kept.
    if (!link.channel.dialled || !this.#targets.isSurplus(link.deviceKey)) link.surplusSince = undefined;
    else if (link.surplusSince === undefined) link.surplusSince = now;
    else if (now - link.surplusSince >= SURPLUS_MS) link.channel.close('surplus');
  }

  #lost(deviceKey: string): void {
    const target = this.#targets.discovered(deviceKey);
    if (target !== undefined) target.lostAt = this.#now();
  }

  #restartDialling(target: Target): void {
    target.failures = 0;
    target.round?.abort(new Error('dialling begins anew'));
    target.dueAt = this.#now() + this.#backoffMs(target);
  }

  #dialSooner(target: Target): void {
    target.failures = 0;
    target.dueAt = Math.min(target.dueAt, this.#now() + this.#backoffMs(target));
  }

  #backoffMs(target: Target): number {
    return dialBackoffMs(target, this.#options.ownKey, this.#deps.random);
  }

  // What came of dialling.

  #dialled(target: Target, channel: Channel): void {
    if (channel.peerKey === this.#options.ownKey) {
      channel.close('self');
      return this.#noteSelf(target);
    }
    if (target.kind === 'known') target.deviceKey = channel.peerKey;
    else if (target.deviceKey !== channel.peerKey) {
      this.#failed(target, new Error('another device answers at its address'));
    }
    const before = this.#links.get(channel.peerKey);
    this.#links.offer(channel);
    const link = this.#links.get(channel.peerKey);
    if (link !== before) target.link = link;
    else target.probeAt = this.#now() + PROBE_MS;
  }

  #failed(target: Target, error: unknown): void {
    if (isEntglDbError(error, 'SELF_CONNECTION')) return this.#noteSelf(target);
    const { clock } = this.#deps;
    target.failures++;
    target.isTurnedAway = isRefusal(error);
    if (this.#isLinkedWell(target.deviceKey)) return this.#probeFailed(target, error);
    target.failingSince ??= this.#now();
    target.dueAt = this.#now() + this.#backoffMs(target);
    target.sinceMs = clock.now();
    target.lastError = toPeerError(error, clock.now());
    const fields = {
      address: addressText(target.addresses[0]!),
      deviceKey: target.deviceKey,
      failures: target.failures,
    };
    // A peer that is away for days deserves one log line, not one every half minute.
    if (target.failures === 1)
      this.#logger.warn({ ...fields, why: target.lastError.message }, 'peer cannot be reached, dialling on');
    else this.#logger.debug({ ...fields, err: error }, 'peer still cannot be reached');
  }

  /** Troubles nobody, as the peer is linked. Whoever refuses is not that peer. */
  #probeFailed(target: Target, error: unknown): void {
    if (target.isTurnedAway) target.hasGreeted = false;
    target.dueAt = this.#now() + this.#backoffMs(target);
    this.#logger.debug({ deviceKey: target.deviceKey, err: error }, 'a linked peer is not at a configured address');
  }

  #noteSelf(target: Target): void {
    target.sinceMs = this.#deps.clock.now();
    // A discovered device is never this node: its address has changed, and discovery will report the new one.
    if (target.kind === 'known') target.isSelf = true;
    else this.#failed(target, new Error('this node itself answers at its address'));
  }

  // Links.

  #linked(link: Link): void {
    const isSmaller = compareBytes(this.#options.ownKey, link.deviceKey) < 0;
    for (const target of this.#targets.ofDevice(link.deviceKey)) {
      target.hasBeenLinked = true;
      target.failingSince = undefined;
      target.attempts = 0;
      // Of two crossing connections the one dialled by the smaller key stays, so only the larger may abort its own dial.
      if (!isSmaller) target.round?.abort(new Error('linked already'));
    }
    const { remote, dialled } = link.channel;
    // The owner of the link logs this for people, once the peer has greeted and has a name.
    this.#logger.debug({ deviceKey: link.deviceKey, address: addressText(remote), dialled }, 'peer linked');
    this.#deps.onLink(link.channel);
  }

  #ended(link: Link, reason: string, isOver: boolean): void {
    this.#logger.debug({ deviceKey: link.deviceKey, node: link.node, reason }, 'peer link closed');
    this.#noteShort(link, reason);
    this.#deps.onLinkClosed?.(link.channel, reason, isOver);
    if (!isOver) return;
    const wallMs = this.#deps.clock.now();
    const wasGood = this.#now() - link.startedAt >= STABLE_MS;
    for (const target of this.#targets.ofDevice(link.deviceKey)) {
      target.failures = wasGood ? 0 : target.failures + 1;
      target.isTurnedAway = link.node === null;
      target.dueAt = this.#now() + this.#backoffMs(target);
      target.sinceMs = wallMs;
      target.lastError = { message: `the link was closed: ${reason}`, code: null, reason: null, atMs: wallMs };
      this.#wakeBy(target.dueAt);
    }
  }

  #noteShort({ deviceKey, node, channel, startedAt }: Link, reason: string): void {
    if (!this.#shortLinks.ended(deviceKey, this.#now() - startedAt, reason)) return;
    const fields = { peer: node, deviceKey, address: addressText(channel.remote), reason };
    this.#logger.warn(fields, `the links with a peer end again and again within seconds; ${restlessRemedy(reason)}`);
  }

  #isLinkedWell(deviceKey: string | undefined): boolean {
    return deviceKey !== undefined && this.#links.has(deviceKey) && !this.#links.isQuiet(deviceKey);
  }

  #statusOf(target: Target): PeerStatus {
    const link = target.deviceKey === undefined ? undefined : this.#links.get(target.deviceKey);
    return targetStatus(target, link, link === undefined ? this.#stateOf(target) : 'connected');
  }

  #stateOf(target: Target): PeerStatus['state'] {
    if (target.isSelf) return 'self';
    if (target.round !== undefined) return 'connecting';
    return target.deviceKey === undefined || this.#targets.isWanted(target.deviceKey) ? 'waiting' : 'idle';
  }
}
