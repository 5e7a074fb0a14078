import { refusalTexts } from '../../../diagnostics/index.ts';
import type { PeerStatus } from '../../network/index.ts';
import type { NodeStatus } from '../../node-api.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatAddress, formatAgo, formatBytes, formatTable } from '../format.ts';
import { withTarget } from '../open-target.ts';

export async function peers(run: CommandRun): Promise<ExitCode> {
  const [found, { refusals }] = await withTarget(run, { running: true }, (target) =>
    Promise.all([target.peers(), target.status()]),
  );
  const nowMs = run.context.clock.now();
  const text = [peersTable(found, nowMs), ...refusalLines(refusals, nowMs)].join('\n');
  await run.output.answer({ peers: found, refusals }, text);
  return EXIT.ok;
}

function refusalLines(refusals: NodeStatus['refusals'], nowMs: number): string[] {
  return refusalTexts(refusals, nowMs).map((text) => `! ${text}`);
}

function peersTable(found: readonly PeerStatus[], nowMs: number): string {
  if (found.length === 0) return 'No peers yet. `entgldb doctor` says why two nodes may not see each other.';
  const rows = found.map((peer) => [
    peer.nodeId ?? '?',
    // The port that an inbound peer dialled from cannot be dialled.
    peer.source === 'inbound' ? peer.address.host : formatAddress(peer.address),
    peer.state,
    peer.source,
    formatAgo(peer.lastSyncTime, nowMs),
    peer.roundTripMs === null ? '-' : `${peer.roundTripMs.toFixed(1)} ms`,
    formatBytes(peer.bytesSent),
    formatBytes(peer.bytesReceived),
    // An old error is no news about a connected peer; --json has it.
    peer.state === 'connected' ? '' : (peer.lastError ?? ''),
  ]);
  const titles = ['NODE', 'ADDRESS', 'STATE', 'FOUND BY', 'LAST SYNC', 'ROUND TRIP', 'SENT', 'RECEIVED', 'LAST ERROR'];
  return formatTable(titles, rows);
}
