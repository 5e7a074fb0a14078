import { type Clock, spanText } from '../../core/clock/index.ts';
import type { PeerRefusal, RefusalCause } from '../peer-refusals.ts';
import { degraded, type HealthCheck, healthy } from './health-report.ts';

/** How many addresses are named in one sentence. */
const TOLD_MAX = 5;

/** `refusals`: no node that tries to connect is refused, and no node refuses this one. */
export function createRefusalsCheck(refusals: () => readonly PeerRefusal[], clock: Clock): HealthCheck {
  return {
    name: 'refusals',
    isQuick: true,
    run: () => {
      const found = refusals();
      const tried = triedRefusals(found);
      if (tried.length > 0) return degraded(refusalTexts(tried, clock.now()).join('; '));
      // Another cluster in the same network is not a fault.
      return healthy(found.length === 0 ? 'nobody is kept out' : refusalTexts(found, clock.now()).join('; '));
    },
  };
}

/** The refusals without nodes that are only heard. */
export function triedRefusals(refusals: readonly PeerRefusal[]): readonly PeerRefusal[] {
  return refusals.filter(({ isOnlyHeard }) => !isOnlyHeard);
}

/**
 * The refusals as sentences for the user: who, since when, how often, and what to do. Addresses with the same cause share one, because
 * most machines have two, and each is dialled.
 */
export function refusalTexts(refusals: readonly PeerRefusal[], nowMs: number): string[] {
  const groups = Map.groupBy(refusals, ({ cause, isOnlyHeard }) => `${cause} ${isOnlyHeard}`);
  return [...groups.values()].map((group) => groupText(group, nowMs));
}

function groupText(group: readonly PeerRefusal[], nowMs: number): string {
  const { cause, isOnlyHeard } = group[0]!;
  const isOne = group.length === 1;
  const who = addressesText(group);
  const several = isOne ? '' : 'a machine can have several addresses; ';
  const since = spanText(nowMs - Math.min(...group.map(({ firstSeen }) => firstSeen)));
  if (isOnlyHeard) {
    const [are, they] = isOne ? ['is', 'it belongs'] : ['are', 'they belong'];
    return `${who} ${are} heard with another cluster token (${several}for ${since}); if ${they} to this cluster, ${COMPARE_TOKENS}`;
  }
  const tries = group.reduce((sum, refusal) => sum + refusal.tries, 0);
  const last = `${spanText(nowMs - Math.max(...group.map(({ lastSeen }) => lastSeen)))} ago`;
  const tried = tries === 1 ? `once, ${last}` : `${tries} times in ${since}, last ${last}`;
  return `no sync with ${who} (${several}tried ${tried}): ${reasonText(cause, isOne)}`;
}

/** Addresses that are of one link only come last: nobody knows a machine by them. */
function addressesText(group: readonly PeerRefusal[]): string {
  const isOfLink = ({ host }: PeerRefusal): boolean => host.startsWith('fe80:');
  const sorted = [...group.filter((refusal) => !isOfLink(refusal)), ...group.filter(isOfLink)];
  const named = sorted.slice(0, TOLD_MAX).map(addressText).join(', ');
  const left = group.length - TOLD_MAX;
  return left <= 0 ? named : `${named} and ${left} more addresses (see entgldb status --json)`;
}

function addressText({ host, port }: PeerRefusal): string {
  if (port === null) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What to do about a different token. */
export const COMPARE_TOKENS = 'compare the fingerprint of the token that `entgldb doctor` prints on each';

function reasonText(cause: RefusalCause, isOne: boolean): string {
  switch (cause) {
    case 'other-token':
      return `${isOne ? 'it has' : 'they have'} another cluster token; ${COMPARE_TOKENS}`;
    case 'no-entgldb':
      return 'what answers there is no EntglDb node; correct the port in Network.KnownPeers';
    case 'other-protocol':
      return `${isOne ? 'its release speaks' : 'their releases speak'} another protocol; update the older of the two`;
    default:
      return cause satisfies never;
  }
}
