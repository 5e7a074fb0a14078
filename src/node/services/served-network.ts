import type { PeerMismatch, PeerRefusal } from '../../diagnostics/index.ts';
import type { VerifiedSession } from './equality.ts';

/** What the services need of the network. */
export interface ServedNetwork {
  readonly isListening: boolean;
  /** Where it listens, `host:port`; null: nowhere. */
  readonly address: string | null;
  /** Why it does not listen, as far as it is known. */
  readonly problem: string | null;
  /** Peers that the configuration or discovery named, or that dialled. */
  readonly knownPeers: number;
  /** Bytes on the wire since its start, both ways. */
  readonly bytes: number;
  /** How programs of connected peers define collections otherwise than the one here. */
  mismatches(): readonly PeerMismatch[];
  /** Who is kept out, here or there. */
  refusals(): readonly PeerRefusal[];
  /** Those that are open. */
  sessions(): readonly VerifiedSession[];
  /** R11: peers must discard what they believed of this node. */
  endSessions(reason: 'damage'): void;
}
