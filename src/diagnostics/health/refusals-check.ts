import { type Clock, spanText } from '../../core/clock/index.ts';
import type { PeerRefusal } from '../peer-refusals.ts';
import { degraded, type HealthCheck, healthy } from './health-report.ts';

/** How many refusals are listed one by one. */
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

/** The refusals as sentences for the user: who, since when, how often, and what to do. */
export function refusalTexts(refusals: readonly PeerRefusal[], nowMs: number): string[] {
  const texts = refusals.slice(0, TOLD_MAX).map((refusal) => refusalText(refusal, nowMs));
  const left = refusals.length - texts.length;
  return left === 0 ? texts : [...texts, `${left} more nodes are kept out: see entgldb status --json`];
}

function refusalText(refusal: PeerRefusal, nowMs: number): string {
  const { host, port, isOnlyHeard, sinceMs, lastMs, tries } = refusal;
  const plain = host.includes(':') && port !== null ? `[${host}]` : host;
  const address = port === null ? plain : `${plain}:${port}`;
  const since = spanText(nowMs - sinceMs);
  if (isOnlyHeard)
    return `${address} is heard with another cluster token (for ${since}); if it belongs to this cluster, ${COMPARE_TOKENS}`;
  const last = `${spanText(nowMs - lastMs)} ago`;
  const tried = tries === 1 ? `once, ${last}` : `${tries} times in ${since}, last ${last}`;
  return `no sync with ${address} (tried ${tried}): ${reasonText(refusal)}`;
}

/** What to do about a different token. */
export const COMPARE_TOKENS = 'compare the fingerprint of the token that `entgldb doctor` prints on each';

function reasonText({ cause }: PeerRefusal): string {
  switch (cause) {
    case 'other-token':
      return `it has another cluster token; ${COMPARE_TOKENS}`;
    case 'no-entgldb':
      return 'what answers there is no EntglDb node; correct the port in Network.KnownPeers';
    case 'other-protocol':
      return 'its release speaks another protocol; update the older of the two';
    default:
      return cause satisfies never;
  }
}
