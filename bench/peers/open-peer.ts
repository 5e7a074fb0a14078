import type { PeerName } from '../bench-case.ts';
import type { PeerDatabase } from './peer-database.ts';
import { openPouch } from './pouch.ts';
import { openRx } from './rx.ts';

/** Opens the database on files in this folder, or in memory if it has no files. */
export function openPeer(name: PeerName, folder: string): Promise<PeerDatabase> {
  return name === 'pouchdb' ? openPouch(folder) : openRx();
}
