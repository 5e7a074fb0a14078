import type { ReplicaId } from '../../core/ids/index.ts';
import type { DefinitionMismatch } from '../../core/replication/index.ts';
import type { PeerMismatch } from '../../diagnostics/index.ts';
import type { SessionEvent } from '../../sync/index.ts';

/** What is known of a peer beyond its connection. Times are wall clock, ms; null: never. */
export interface PeerRecord {
  node: string;
  replica: ReplicaId | undefined;
  isConnected: boolean;
  lastSeenMs: number | null;
  lastSyncMs: number | null;
  roundTripMs: number | null;
  versionsSent: number;
  versionsReceived: number;
  /** How its program defines collections differently from the one here; empty while it is not connected. */
  mismatches: readonly DefinitionMismatch[];
}

/** How many peers are remembered; beyond that the one not seen for longest is forgotten. */
const PEERS_KEPT_MAX = 1024;

/** Follows the sessions: what each peer exchanged, when it was last heard, how fast it answers. Read by status reports. */
export class PeerProgress {
  readonly #records = new Map<string, PeerRecord>();

  record(deviceKey: string): PeerRecord | undefined {
    return this.#records.get(deviceKey);
  }

  /** Wall clock of the newest claim of any peer. */
  get lastSyncMs(): number | null {
    let newest: number | null = null;
    for (const { lastSyncMs } of this.#records.values())
      if (lastSyncMs !== null && (newest === null || lastSyncMs > newest)) newest = lastSyncMs;
    return newest;
  }

  /** Mismatches with all connected peers. */
  mismatches(): PeerMismatch[] {
    return [...this.#records.values()].flatMap(({ node, mismatches }) => mismatches.map((m) => ({ ...m, peer: node })));
  }

  get connected(): number {
    let count = 0;
    for (const record of this.#records.values()) if (record.isConnected) count++;
    return count;
  }

  closed(deviceKey: string): void {
    const record = this.#records.get(deviceKey);
    if (record === undefined) return;
    record.isConnected = false;
    record.mismatches = [];
  }

  follow(deviceKey: string, event: SessionEvent, wallMs: number): void {
    const record = this.#records.get(deviceKey) ?? this.#add(deviceKey);
    record.lastSeenMs = wallMs;
    switch (event.kind) {
      case 'opened':
        record.node = event.hello.node;
        record.replica = event.hello.replica;
        record.isConnected = true;
        record.mismatches = [];
        return;
      case 'sent':
        record.versionsSent += event.versions;
        return;
      case 'received':
        record.versionsReceived += event.versions;
        return;
      case 'claimed':
      case 'up-to-date':
        record.lastSyncMs = wallMs;
        return;
      case 'definitions':
        record.mismatches = event.mismatches;
        return;
      case 'round-trip':
        record.roundTripMs = event.ms;
        return;
      case 'clock':
      case 'confirmed':
      case 'same':
      case 'verify-asked':
      case 'verified':
        return;
      default:
        return event satisfies never;
    }
  }

  #add(deviceKey: string): PeerRecord {
    if (this.#records.size >= PEERS_KEPT_MAX) this.#forgetOldest();
    const record: PeerRecord = {
      node: '',
      replica: undefined,
      isConnected: false,
      lastSeenMs: null,
      lastSyncMs: null,
      roundTripMs: null,
      versionsSent: 0,
      versionsReceived: 0,
      mismatches: [],
    };
    this.#records.set(deviceKey, record);
    return record;
  }

  #forgetOldest(): void {
    let oldest: [string, number] | undefined;
    for (const [key, { isConnected, lastSeenMs }] of this.#records)
      if (!isConnected && (oldest === undefined || (lastSeenMs ?? 0) < oldest[1])) oldest = [key, lastSeenMs ?? 0];
    if (oldest !== undefined) this.#records.delete(oldest[0]);
  }
}
