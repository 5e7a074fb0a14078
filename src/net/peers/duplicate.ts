import { compareBytes } from '../../core/ids/index.ts';
import type { Channel } from '../transport.ts';

/** `hold`: keep the old link, but let the newcomer take its place if it is still there a moment later. */
export type DuplicateDecision = 'keep' | 'replace' | 'hold';

/**
 * Which of two connections to one device stays. Dialled from different ends: the one dialled by the smaller device key,
 * which both ends find out alone. Dialled from the same end: the dialler keeps its old one, and closes the new one at
 * once; so the accepting end waits a moment, and a newcomer that is still there says that the old one is dead over there.
 * A `suspect` old link gives way to any other.
 */
export function decideDuplicate(old: Channel, newcomer: Channel, isOldSuspect: boolean): DuplicateDecision {
  if (isOldSuspect) return 'replace';
  const oldDialler = diallerOf(old);
  const newDialler = diallerOf(newcomer);
  if (oldDialler === newDialler) return newcomer.dialled ? 'keep' : 'hold';
  return compareBytes(newDialler, oldDialler) < 0 ? 'replace' : 'keep';
}

function diallerOf(channel: Channel): string {
  return channel.dialled ? channel.ownKey : channel.peerKey;
}
