import { spanText } from '../../core/clock/index.ts';
import { type PeerTrouble, restlessRemedy } from '../../core/replication/index.ts';

/** How many troubles are listed one by one. */
const TOLD_MAX = 5;

/** The troubles as sentences for the user: who, for how long, why, and what to do. */
export function troubleTexts(troubles: readonly PeerTrouble[]): string[] {
  const texts = troubles.slice(0, TOLD_MAX).map(troubleText);
  const left = troubles.length - texts.length;
  return left === 0 ? texts : [...texts, `${left} more nodes are heard and not connected: see entgldb peers`];
}

function troubleText({ kind, node, address, forMs, why }: PeerTrouble): string {
  const who = node === null ? address : `${node} (${address})`;
  if (kind === 'restless')
    return `connections with ${who} end again and again within seconds (${why}); ${restlessRemedy(why)}`;
  return `${who} is heard, but no connection to it comes, for ${spanText(forMs ?? 0)} (${why}); let its TcpPort through the firewall, and on a slow line raise Network.ConnectionTimeoutMs`;
}
