/** `degraded`: it works, but somebody should look at it. `unhealthy`: it does not work. */
export type HealthState = 'healthy' | 'degraded' | 'unhealthy';

/** What a check found. */
export interface HealthFinding {
  readonly state: HealthState;
  /** What was found and, unless healthy, what to do about it. */
  readonly message: string;
}

/** One check of one thing that can be healthy or not. */
export interface HealthCheck {
  /** Name in reports: `database`, `disk-space` … */
  readonly name: string;
  /** Which of the flags `databaseHealthy` and `networkHealthy` it counts for; default: neither. */
  readonly part?: 'database' | 'network';
  /** Whether it only looks at memory or makes one system call, and so runs every second. */
  readonly isQuick?: boolean;
  /** Runs the check. Throwing counts as unhealthy. The signal aborts when its time is over. */
  run(signal: AbortSignal): HealthFinding | PromiseLike<HealthFinding>;
}

/** The result of one check. */
export interface HealthCheckResult extends HealthFinding {
  readonly name: string;
  /** True unless the state is `unhealthy`. */
  readonly isHealthy: boolean;
}

/** The health of a node. */
export interface HealthReport {
  /** True if no check is unhealthy. A node works alone, so losing all peers does not change it. */
  readonly isHealthy: boolean;
  /** The worst state of all checks. */
  readonly state: HealthState;
  /** True if no check of the database is unhealthy. */
  readonly databaseHealthy: boolean;
  /** True if no check of the network is unhealthy and the check `peers` is healthy. */
  readonly networkHealthy: boolean;
  readonly connectedPeers: number;
  /** Wall clock of the last completed round with any peer, ms; null: none yet. */
  readonly lastSyncTime: number | null;
  /** The unhealthy checks, as `name: message`. */
  readonly errors: readonly string[];
  readonly checks: readonly HealthCheckResult[];
}

export const healthy = (message: string): HealthFinding => ({ state: 'healthy', message });
export const degraded = (message: string): HealthFinding => ({ state: 'degraded', message });
export const unhealthy = (message: string): HealthFinding => ({ state: 'unhealthy', message });

/** The worst of the states; `healthy` if there are none. */
export function worstState(states: Iterable<HealthState>): HealthState {
  let worst: HealthState = 'healthy';
  for (const state of states) {
    if (state === 'unhealthy') return state;
    if (state === 'degraded') worst = state;
  }
  return worst;
}
