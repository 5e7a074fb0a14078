import type { PeerTrouble } from '../../core/replication/index.ts';
import type { PeerMismatch, PeerRefusal } from '../../diagnostics/index.ts';
import type { VerifiedSession } from './equality.ts';

/** What the services need of the network. */
export interface ServedNetwork {
  readonly isListening: boolean;
  /** Where the node listens, as `host:port`; null: nowhere. */
  readonly address: string | null;
  /** Why the node does not listen, if known. */
  readonly problem: string | null;
  /** How many peers the configuration or discovery named, or dialled this node. */
  readonly knownPeers: number;
  /** Bytes on the wire since its start, in both directions. */
  readonly bytes: number;
  /** How programs of connected peers define collections differently from the one here. */
  mismatches(): readonly PeerMismatch[];
  /** Peers that are refused, here or there. */
  refusals(): readonly PeerRefusal[];
  /** Nodes that are there, and whose connections do not come or do not last. */
  troubles(): readonly PeerTrouble[];
  /** The open sessions. */
  sessions(): readonly VerifiedSession[];
  /** R11: ends all sessions, so that peers discard what they believed about this node. */
  endSessions(reason: 'damage'): void;
}
