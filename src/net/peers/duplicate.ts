import { compareBytes } from '../../core/ids/index.ts';
import type { Channel } from '../transport.ts';

/** `hold`: keep the old link, but let the newcomer take its place if it is still there a moment later. */
export type DuplicateDecision = 'keep' | 'replace' | 'hold';

/** `new`: so young that both ends may have dialled at the same time. `suspect`: it may be dead. */
export type LinkAge = 'new' | 'settled' | 'suspect';

/**
 * Which of two connections to one device stays. Dialled from different ends at the same time: the one dialled by the smaller
 * device key, which both ends find out alone. Otherwise the dialler keeps its old one, and closes the new one at once; so the
 * accepting end waits a moment, and a newcomer that is still there says that the old one is dead over there. A suspect old
 * link gives way to any other.
 */
export function decideDuplicate(old: Channel, newcomer: Channel, age: LinkAge): DuplicateDecision {
  if (age === 'suspect') return 'replace';
  const oldDialler = diallerOf(old);
  const newDialler = diallerOf(newcomer);
  if (oldDialler !== newDialler && compareBytes(newDialler, oldDialler) < 0) return 'replace';
  if (oldDialler !== newDialler && age === 'new') return 'keep';
  return newcomer.dialled ? 'keep' : 'hold';
}

function diallerOf(channel: Channel): string {
  return channel.dialled ? channel.ownKey : channel.peerKey;
}
