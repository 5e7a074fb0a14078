import type { PeerName } from '../bench-case.ts';
import type { PeerDatabase } from './peer-database.ts';
import { openPouch } from './pouch.ts';
import { openRx } from './rx.ts';

/** On its files in this folder, or where it has none, in memory. */
export function openPeer(name: PeerName, folder: string): Promise<PeerDatabase> {
  return name === 'pouchdb' ? openPouch(folder) : openRx();
}
