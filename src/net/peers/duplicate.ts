import { compareBytes } from '../../core/ids/index.ts';
import type { Channel } from '../transport.ts';

/** `hold`: keep the old link, but let the newcomer replace it if it is still open a moment later. */
export type DuplicateDecision = 'keep' | 'replace' | 'hold';

/** `new`: so young that both ends may have dialled at the same time. `suspect`: the link may be dead. */
export type LinkAge = 'new' | 'settled' | 'suspect';

/**
 * Which of two connections to one device stays. If both ends dialled at the same time, it is the one dialled by the smaller
 * device key, which each end can tell alone. Otherwise the dialler keeps its old connection and closes the new one
 * immediately. So the accepting end waits a moment: a newcomer that is still open means that the old connection is dead at
 * the dialler. Any newcomer replaces a suspect old link.
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
