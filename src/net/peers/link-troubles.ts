import { TIMES } from '../../core/config/index.ts';
import type { PeerTrouble } from '../../core/replication/index.ts';
import { addressText } from '../address-text.ts';
import type { Link } from './link-table.ts';
import { GOOD_LINK_MS } from './short-links.ts';
import type { Target } from './target.ts';

export interface TroubleSources {
  readonly nowMs: number;
  readonly isWanted: (deviceKey: string) => boolean;
  readonly linkOf: (deviceKey: string) => Link | undefined;
  readonly isRestless: (deviceKey: string) => boolean;
}

/**
 * The devices that are heard now, and whose link does not come or does not last. A machine that was switched off is still heard until its
 * last beacon expires, so a failure counts only after that time.
 */
export function* linkTroubles(targets: Iterable<Target>, sources: TroubleSources): Generator<PeerTrouble> {
  const { nowMs, isWanted, linkOf, isRestless } = sources;
  const told = new Set<string>();
  for (const { deviceKey, kind, lostAt, failingSince, addresses, lastError, node } of targets) {
    if (deviceKey === undefined || told.has(deviceKey)) continue;
    const link = linkOf(deviceKey);
    const isLasting = link !== undefined && nowMs - link.startedAt >= GOOD_LINK_MS;
    const forMs = nowMs - (failingSince ?? nowMs);
    const isHeard = kind === 'discovered' && lostAt === undefined;
    const isUnreached = link === undefined && isHeard && isWanted(deviceKey) && forMs >= TIMES.beaconExpiryMs;
    const isUnsteady = isRestless(deviceKey) && !isLasting;
    if (!isUnreached && !isUnsteady) continue;
    told.add(deviceKey);
    yield {
      kind: isUnsteady ? 'restless' : 'unreached',
      node,
      address: addressText(addresses[0]!),
      forMs: isUnsteady ? null : forMs,
      why: lastError?.message ?? 'it ended',
    };
  }
}
