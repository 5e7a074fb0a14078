import { COUNTED_MAX, type PendingWrites } from '../../../resilience/index.ts';
import { urlOf } from '../../daemon.ts';
import type { NodeStatus } from '../../node-api.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatAddress, formatAgo, formatCount, formatDuration, formatFields, formatTable, plural } from '../format.ts';
import { withTarget } from '../open-target.ts';

export async function status(run: CommandRun): Promise<ExitCode> {
  await withTarget(run, {}, async (target) => {
    const [found, unsynced] = [await target.status(), await target.unsynced(null)];
    const nowMs = run.context.clock.now();
    const text = statusText(found, unsynced, target.isRunning, nowMs);
    await run.output.answer({ isRunning: target.isRunning, ...found, unsynced }, text);
  });
  return EXIT.ok;
}

function statusText(status: NodeStatus, unsynced: readonly PendingWrites[], isRunning: boolean, nowMs: number): string {
  const { address, collections, notices } = status;
  const since = `running for ${formatDuration(nowMs - status.startedAt)}, process ${status.pid}`;
  const fields: [string, string][] = [
    ['Node', status.nodeId],
    ['State', isRunning ? since : 'not running; this is what its database says'],
    ['Database', status.databasePath],
  ];
  if (isRunning) {
    const tcp = address.tcp === null ? 'off' : formatAddress(address.tcp);
    const udp = address.udp === null ? 'off' : `UDP port ${address.udp.port}`;
    fields.push(
      ['Sync', tcp],
      ['Discovery', udp],
      ['HTTP', address.http === null ? 'off' : urlOf(address.http)],
      ['Peers', status.isNetworkPaused ? 'taken off the network' : `${formatCount(status.connectedPeers)} connected`],
      ['Last sync', formatAgo(status.lastSyncTime, nowMs)],
    );
  }
  fields.push(
    ['Waiting', plural(status.queuedOperations, 'queued operation')],
    ['Only here', collections.length + unsynced.length === 0 ? 'nothing yet' : onlyHere(unsynced)],
  );
  const rows = collections.map(({ name, documents, wanted, fingerprint }) => [
    name,
    formatCount(documents),
    wanted ? 'yes' : 'no',
    fingerprint,
  ]);
  const table =
    rows.length === 0 ? 'No collections yet.' : formatTable(['COLLECTION', 'DOCUMENTS', 'SYNCS', 'FINGERPRINT'], rows);
  return [formatFields(fields), ...notices.map((notice) => `! ${notice}`), '', table].join('\n');
}

/** How many collections are named in one line. */
const NAMED_MAX = 5;

/** What would be lost with this node's disk. */
function onlyHere(unsynced: readonly PendingWrites[]): string {
  if (unsynced.length === 0) return 'nothing: every write of this node is on another one too';
  const most = unsynced.toSorted((a, b) => b.writes - a.writes).slice(0, NAMED_MAX);
  const shown = most.map(({ collection, writes }) => {
    const count = writes >= COUNTED_MAX ? `${formatCount(COUNTED_MAX)} or more writes` : plural(writes, 'write');
    return `${count} in ${collection}`;
  });
  const left = unsynced.length - shown.length;
  return left === 0 ? shown.join(', ') : `${shown.join(', ')} and more in ${plural(left, 'other collection')}`;
}
