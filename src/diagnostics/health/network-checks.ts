import { type Clock, type ClockAssessment, spanText } from '../../core/clock/index.ts';
import type { PeerTrouble } from '../../core/replication/index.ts';
import type { SyncStatusTracker } from '../sync-status-tracker.ts';
import { degraded, type HealthCheck, healthy, unhealthy } from './health-report.ts';
import { troubleTexts } from './peer-troubles.ts';

export interface NetworkStatus {
  /** False: this node runs without a network, or was taken off it, on purpose. */
  readonly isEnabled: boolean;
  readonly isListening: boolean;
  /** Where the node listens, as `host:port`; null: nowhere. */
  readonly address: string | null;
  /** Why the node does not listen; null if it does, or the reason is unknown. */
  readonly problem: string | null;
}

/** `network`: other nodes can reach this one. */
export function createNetworkCheck(status: () => NetworkStatus): HealthCheck {
  return {
    name: 'network',
    part: 'network',
    isQuick: true,
    run: () => {
      const { isEnabled, isListening, address, problem } = status();
      if (!isEnabled) return healthy('this node is off the network');
      if (isListening) return healthy(`listens on ${address ?? 'an unknown address'}`);
      return unhealthy(`other nodes cannot connect: ${problem ?? 'the listening port is lost'}; it is tried again`);
    },
  };
}

export interface PeersCheckOptions {
  readonly tracker: SyncStatusTracker;
  /** How many peers the configuration names. */
  readonly configuredPeers: () => number;
  /** False: this node runs without a network, or was taken off it, on purpose. */
  readonly isEnabled: () => boolean;
  /** Nodes that are there, and whose connections do not come or do not last. */
  readonly troubles: () => readonly PeerTrouble[];
  readonly clock: Clock;
}

/** How long a node may take to meet its first peer after its start, or after its peers were configured, ms. */
const MEETING_MS_MAX = 10_000;

/** `peers`: this node is not cut off. */
export function createPeersCheck(options: PeersCheckOptions): HealthCheck {
  const { tracker, configuredPeers, isEnabled, troubles, clock } = options;
  let namedAt = clock.monotonic();
  let named = 0;
  const isMeeting = (hasMet: boolean): boolean => {
    if (configuredPeers() !== named) {
      named = configuredPeers();
      namedAt = clock.monotonic();
    }
    return !hasMet && clock.monotonic() - namedAt < MEETING_MS_MAX;
  };
  return {
    name: 'peers',
    part: 'network',
    isQuick: true,
    run: () => {
      const { activePeers, peers } = tracker.getStatus();
      const known = Math.max(peers.length, configuredPeers());
      if (!isEnabled()) return healthy('this node is off the network');
      const troubled = troubleTexts(troubles());
      if (troubled.length > 0) return degraded(troubled.join('; '));
      if (activePeers.length > 0) return healthy(`${activePeers.length} of ${known} connected`);
      if (known === 0) return healthy('none is known; this node works alone');
      if (isMeeting(peers.length > 0)) return healthy(`none of ${known} is connected yet`);
      return degraded(`none of ${known} known peers is connected; writes are kept and sent when one comes back`);
    },
  };
}

export interface SyncLagCheckOptions {
  readonly tracker: SyncStatusTracker;
  readonly clock: Clock;
  /** A connected peer lags if no round with it was completed for longer than this, ms. Default: 30,000. */
  readonly lagMsMax?: () => number;
}

const LAG_MS_MAX = 30_000;

/** `sync-lag`: every connected peer completes its rounds. */
export function createSyncLagCheck({ tracker, clock, lagMsMax = () => LAG_MS_MAX }: SyncLagCheckOptions): HealthCheck {
  return {
    name: 'sync-lag',
    part: 'network',
    isQuick: true,
    run: () => {
      let worst = { lagMs: 0, nodeId: '' };
      const { activePeers } = tracker.getStatus();
      for (const { nodeId, lastSyncTime, connectedSince } of activePeers) {
        const lagMs = clock.now() - Math.max(lastSyncTime ?? 0, connectedSince ?? 0);
        if (lagMs > worst.lagMs) worst = { lagMs, nodeId };
      }
      if (worst.lagMs <= lagMsMax()) return healthy(activePeers.length === 0 ? 'no peer to lag behind' : 'none');
      const seconds = Math.round(worst.lagMs / 1000);
      return degraded(`no round with ${worst.nodeId} was completed for ${seconds} s, though it is connected`);
    },
  };
}

/** `equality`: peers that know the same hold the same, according to the comparisons of `verify`. */
export function createEqualityCheck(different: () => number): HealthCheck {
  return {
    name: 'equality',
    isQuick: true,
    run: () => {
      const count = different();
      if (count === 0) return healthy('no difference was found');
      return unhealthy(
        `${count} collections differ from a peer's though both know the same; the log names them, and every row here is being read`,
      );
    },
  };
}

/** `clock`: this machine's clock agrees with the others (R10). */
export function createClockCheck(assess: () => ClockAssessment, driftMsMax: number): HealthCheck {
  return {
    name: 'clock',
    isQuick: true,
    run: () => {
      const { offsetMs, widestMs, clocks, isOff } = assess();
      const side = offsetMs > 0 ? 'behind' : 'ahead of';
      if (isOff) return unhealthy(`this clock is ${spanText(offsetMs)} ${side} those of the other nodes; set it right`);
      if (clocks === 2 && widestMs > driftMsMax)
        return degraded(`this clock and another are ${spanText(widestMs)} apart; a third would tell which is off`);
      return healthy(
        clocks < 2
          ? 'no other clock to compare with'
          : `agrees with ${clocks === 2 ? 'the other' : `${clocks - 1} others`}`,
      );
    },
  };
}
