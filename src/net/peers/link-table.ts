import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import type { Channel } from '../transport.ts';
import { decideDuplicate, type LinkAge } from './duplicate.ts';
import { HeldChannel } from './held-channel.ts';

/** A link younger than this may have crossed with one that the other end dialled. */
const CROSSING_MS = 2000;
/** How long a second connection of a peer must last before it replaces the first (`decideDuplicate`). */
const HOLD_MS = 250;
/** A suspect link must receive a byte within this time, a little more than the peer's ping interval. */
const PROOF_OF_LIFE_MS = TIMES.pingIntervalMs + 1000;
/** After this time without a byte, a new connection is made beside a suspect link. Its owner pings it, so a good one is soon cleared. */
const SUSPECT_DIAL_MS = 1500;

/** A link without a byte for this long, more than the ping interval, may be dead, or its packets wait for a retransmission of TCP. */
const QUIET_MS = TIMES.pingIntervalMs + 2000;

/** The one live channel to a device. */
export interface Link {
  readonly channel: Channel;
  readonly deviceKey: string;
  /** Monotonic and wall time at which it became the link, ms. */
  readonly startedAt: number;
  readonly sinceMs: number;
  /** The peer's name, from its greeting. */
  node: string | null;
  /** Set while the mesh reaches the device through other nodes. */
  surplusSince: number | undefined;
}

export interface LinkTableDeps {
  readonly clock: Clock;
  /** Most links at the same time. */
  readonly linksMax: number;
  /** Whether this node wants a link with a device; at the limit, a wanted device displaces an unwanted one. */
  readonly isWanted: (deviceKey: string) => boolean;
  /** A new link: the callee sets its handlers before it returns. */
  readonly onLink: (link: Link) => void;
  /** A link has ended. `isOver`: there is no other link with the device. */
  readonly onEnd: (link: Link, reason: string, isOver: boolean) => void;
}

interface Candidate extends Link {
  readonly channel: HeldChannel;
  startedAt: number;
  sinceMs: number;
  wasLink: boolean;
  /** How many bytes it had received when that number was last seen to change, and when that was. */
  heard: { readonly bytes: number; readonly at: number };
  /** Set while the link may be dead: it is closed unless it has received more than `bytes` by `until`, and quiet from `quietAt` on. */
  suspicion: { readonly until: number; readonly quietAt: number; readonly bytes: number } | undefined;
  cancelHold: (() => void) | undefined;
}

/** Keeps one link per device: settles duplicates, holds second connections until they prove themselves, closes dead links. */
export class LinkTable {
  readonly #deps: LinkTableDeps;
  readonly #byDevice = new Map<string, Candidate>();
  /** Second connections that must prove themselves; at most one per device. */
  readonly #heldByDevice = new Map<string, Candidate>();

  constructor(deps: LinkTableDeps) {
    this.#deps = deps;
  }

  get(deviceKey: string): Link | undefined {
    return this.#byDevice.get(deviceKey);
  }

  has(deviceKey: string): boolean {
    return this.#byDevice.has(deviceKey);
  }

  all(): Link[] {
    return [...this.#byDevice.values()];
  }

  /** Takes a new channel: it becomes the link with its device, now or a moment later, or is closed as `duplicate` or `busy`. */
  offer(channel: Channel): void {
    const old = this.#byDevice.get(channel.peerKey);
    if (old === undefined) {
      if (this.#hasRoomFor(channel)) this.#adopt(this.#toCandidate(channel));
      else channel.close('busy');
      return;
    }
    const decision = decideDuplicate(old.channel, channel, this.#ageOf(old));
    if (decision === 'keep') return channel.close('duplicate');
    const candidate = this.#toCandidate(channel);
    if (decision === 'hold') this.#hold(candidate);
    else this.#replace(old, candidate);
  }

  /** Marks a link that may be dead, which its owner pings: it must receive a byte soon, and any new connection replaces it meanwhile. */
  suspect(deviceKey: string): void {
    const link = this.#byDevice.get(deviceKey);
    if (link === undefined) return;
    const now = this.#deps.clock.monotonic();
    const bytes = link.channel.bytesReceived;
    link.suspicion = { until: now + PROOF_OF_LIFE_MS, quietAt: now + SUSPECT_DIAL_MS, bytes };
  }

  /** Whether a link has received nothing for a while. A new connection replaces such a link; without one it is kept. */
  isQuiet(deviceKey: string): boolean {
    const link = this.#byDevice.get(deviceKey);
    if (link === undefined) return false;
    const now = this.#deps.clock.monotonic();
    const { heard, suspicion } = link;
    const { bytesReceived } = link.channel;
    if (suspicion !== undefined && bytesReceived === suspicion.bytes && now >= suspicion.quietAt) return true;
    return bytesReceived === heard.bytes && now - heard.at >= QUIET_MS;
  }

  /** Whether there is a link that is neither suspect nor so young that it may have crossed with another. */
  isSettled(deviceKey: string): boolean {
    const link = this.#byDevice.get(deviceKey);
    return link !== undefined && this.#ageOf(link) === 'settled';
  }

  /** Closes suspect links that received nothing in time. */
  closeSilent(): void {
    const now = this.#deps.clock.monotonic();
    for (const link of this.all() as Candidate[]) {
      const { bytesReceived } = link.channel;
      if (bytesReceived !== link.heard.bytes) link.heard = { bytes: bytesReceived, at: now };
      const { suspicion } = link;
      if (suspicion === undefined) continue;
      if (link.channel.bytesReceived > suspicion.bytes) link.suspicion = undefined;
      else if (now >= suspicion.until) link.channel.close('silent');
    }
  }

  closeAll(reason: string): void {
    for (const link of [...this.#heldByDevice.values(), ...this.#byDevice.values()]) link.channel.close(reason);
  }

  #ageOf({ suspicion, startedAt, deviceKey }: Candidate): LinkAge {
    if (suspicion !== undefined || this.isQuiet(deviceKey)) return 'suspect';
    return this.#deps.clock.monotonic() - startedAt < CROSSING_MS ? 'new' : 'settled';
  }

  #toCandidate(channel: Channel): Candidate {
    const candidate: Candidate = {
      channel: new HeldChannel(channel, (reason) => this.#ended(candidate, reason)),
      deviceKey: channel.peerKey,
      startedAt: 0,
      sinceMs: 0,
      node: null,
      wasLink: false,
      heard: { bytes: 0, at: 0 },
      suspicion: undefined,
      surplusSince: undefined,
      cancelHold: undefined,
    };
    return candidate;
  }

  /** At the limit, a wanted device takes the place of the newest unwanted one. */
  #hasRoomFor(channel: Channel): boolean {
    if (this.#byDevice.size < this.#deps.linksMax) return true;
    if (!this.#deps.isWanted(channel.peerKey)) return false;
    const least = this.all().findLast((link) => !this.#deps.isWanted(link.deviceKey));
    least?.channel.close('busy');
    return least !== undefined;
  }

  #hold(candidate: Candidate): void {
    const { deviceKey } = candidate;
    const earlier = this.#heldByDevice.get(deviceKey);
    this.#heldByDevice.set(deviceKey, candidate);
    earlier?.cancelHold?.();
    earlier?.channel.close('duplicate');
    candidate.cancelHold = this.#deps.clock.setTimer(HOLD_MS, () => {
      this.#heldByDevice.delete(deviceKey);
      const old = this.#byDevice.get(deviceKey);
      if (old === undefined) this.#adopt(candidate);
      else this.#replace(old, candidate);
    });
  }

  #replace(old: Candidate, candidate: Candidate): void {
    this.#byDevice.delete(old.deviceKey);
    old.channel.close('duplicate');
    candidate.node = old.node;
    this.#adopt(candidate);
  }

  #adopt(candidate: Candidate): void {
    candidate.wasLink = true;
    candidate.startedAt = this.#deps.clock.monotonic();
    candidate.sinceMs = this.#deps.clock.now();
    candidate.heard = { bytes: candidate.channel.bytesReceived, at: candidate.startedAt };
    this.#byDevice.set(candidate.deviceKey, candidate);
    this.#deps.onLink(candidate);
    candidate.channel.release();
  }

  #ended(candidate: Candidate, reason: string): void {
    const { deviceKey } = candidate;
    if (this.#heldByDevice.get(deviceKey) === candidate) {
      this.#heldByDevice.delete(deviceKey);
      candidate.cancelHold?.();
    }
    if (!candidate.wasLink) return;
    if (this.#byDevice.get(deviceKey) === candidate) this.#byDevice.delete(deviceKey);
    const held = this.#heldByDevice.get(deviceKey);
    this.#deps.onEnd(candidate, reason, held === undefined && !this.#byDevice.has(deviceKey));
    if (held === undefined || this.#byDevice.has(deviceKey)) return;
    this.#heldByDevice.delete(deviceKey);
    held.cancelHold?.();
    this.#adopt(held);
  }
}
