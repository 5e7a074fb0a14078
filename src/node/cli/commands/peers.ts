import type { PeerStatus } from '../../node-api.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatAddress, formatAgo, formatBytes, formatTable } from '../format.ts';
import { withTarget } from '../open-target.ts';

export async function peers(run: CommandRun): Promise<ExitCode> {
  const found = await withTarget(run, { running: true }, (target) => target.peers());
  await run.output.answer({ peers: found }, peersText(found, run.context.clock.now()));
  return EXIT.ok;
}

function peersText(found: readonly PeerStatus[], nowMs: number): string {
  if (found.length === 0) return 'No peers yet. `entgldb doctor` says why two nodes may not see each other.';
  const rows = found.map((peer) => [
    peer.nodeId ?? '?',
    formatAddress(peer.address),
    peer.state,
    peer.source,
    formatAgo(peer.lastSyncTime, nowMs),
    peer.roundTripMs === null ? '-' : `${peer.roundTripMs.toFixed(1)} ms`,
    formatBytes(peer.bytesSent),
    formatBytes(peer.bytesReceived),
    // What kept it away before is no news of one that is here; --json has it.
    peer.state === 'connected' ? '' : (peer.lastError ?? ''),
  ]);
  const titles = ['NODE', 'ADDRESS', 'STATE', 'FOUND BY', 'LAST SYNC', 'ROUND TRIP', 'SENT', 'RECEIVED', 'LAST ERROR'];
  return formatTable(titles, rows);
}
