/** `degraded`: it works, and somebody should look at it. `unhealthy`: it does not do its work. */
export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

export interface HealthFinding {
  readonly state: HealthState;
  /** What was found and, unless healthy, what to do about it. */
  readonly message: string;
}

/** One thing that can be well or not. */
export interface HealthCheck {
  /** As it is shown: `database`, `disk-space` … */
  readonly name: string;
  /** Which of the guide's two flags it belongs to. */
  readonly part?: 'database' | 'network';
  /** It looks at memory, or asks the system one thing, so it is looked at every second. */
  readonly isQuick?: boolean;
  /** May throw, which counts as unhealthy. The signal aborts when its time is over. */
  run(signal: AbortSignal): HealthFinding | PromiseLike<HealthFinding>;
}

export interface HealthCheckResult extends HealthFinding {
  readonly name: string;
  /** Not unhealthy. */
  readonly isHealthy: boolean;
}

/** The guide's health status. */
export interface HealthReport {
  /** No check is unhealthy. A node alone works, so that losing all peers leaves it true. */
  readonly isHealthy: boolean;
  /** The worst state of all checks. */
  readonly state: HealthState;
  /** No check of the database is unhealthy. */
  readonly databaseHealthy: boolean;
  /** No check of the network is unhealthy, and not all peers are gone. */
  readonly networkHealthy: boolean;
  readonly connectedPeers: number;
  /** Wall clock of the last completed round with any peer, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** What is unhealthy, as `name: message`. */
  readonly errors: readonly string[];
  readonly checks: readonly HealthCheckResult[];
}

export const healthy = (message: string): HealthFinding => ({ state: 'healthy', message });
export const degraded = (message: string): HealthFinding => ({ state: 'degraded', message });
export const unhealthy = (message: string): HealthFinding => ({ state: 'unhealthy', message });

/** The worst of several, `healthy` of none. */
export function worstState(states: Iterable<HealthState>): HealthState {
  let worst: HealthState = 'healthy';
  for (const state of states) {
    if (state === 'unhealthy') return state;
    if (state === 'degraded') worst = state;
  }
  return worst;
}
