import type { Clock } from '../../core/clock/index.ts';
import type { Limits } from '../../core/config/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import type { RunningNode } from '../node-api.ts';
import type { NodeMetrics } from './metrics.ts';

/** What routes need. */
export interface RouteContext {
  readonly node: RunningNode;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly metrics: NodeMetrics;
  /** Aborts when the server closes, and ends streams. */
  readonly closing: AbortSignal;
}
