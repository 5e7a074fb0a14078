import type { Clock } from '../../core/clock/index.ts';
import type { DefinitionMismatch } from '../../core/replication/index.ts';
import { degraded, type HealthCheck, healthy } from './health-report.ts';

/** A mismatch, and the peer whose program differs. */
export interface PeerMismatch extends DefinitionMismatch {
  readonly peer: string;
}

/** Programs may define collections after they have connected, so a mismatch shorter than this, ms, is ignored. */
const DEFINING_MS_MAX = 2000;
/** How many mismatches are listed one by one. */
const TOLD_MAX = 5;

/** `definitions`: the programs of connected nodes define collections the same way. */
export function createDefinitionsCheck(mismatches: () => readonly PeerMismatch[], clock: Clock): HealthCheck {
  let since: number | undefined;
  return {
    name: 'definitions',
    isQuick: true,
    run: () => {
      const found = mismatches();
      since = found.length === 0 ? undefined : (since ?? clock.monotonic());
      if (since === undefined) return healthy('no connected peer defines a collection differently');
      if (clock.monotonic() - since < DEFINING_MS_MAX) return healthy('definitions are being compared');
      return degraded(mismatchTexts(found).join('; '));
    },
  };
}

/** The mismatches as sentences for the user. */
export function mismatchTexts(mismatches: readonly PeerMismatch[]): string[] {
  const texts = mismatches.slice(0, TOLD_MAX).map(textOf);
  const left = mismatches.length - texts.length;
  return left === 0 ? texts : [...texts, `${left} more such mismatches: see entgldb peers --json`];
}

function textOf({ peer, collection, part, ours, theirs }: PeerMismatch): string {
  const whose = collection === '*' ? 'collections that name no resolver' : `collection ${JSON.stringify(collection)}`;
  if (part === 'resolver')
    return `conflicts in ${whose} are resolved by ${ours} here and by ${theirs} on ${peer}: after one, readers see different values`;
  if (part === 'version')
    return `${whose} has version ${ours} here and version ${theirs} on ${peer}: update the older program`;
  return `${whose} has another schema here than on ${peer} under the same version: give the newer one a version of its own`;
}
