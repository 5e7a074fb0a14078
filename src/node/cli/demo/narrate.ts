import { formatCount, formatFields, formatTable, plural } from '../format.ts';
import type { CrashReport } from './crash.ts';
import type { CutOffReport } from './cut-off.ts';
import type { EditReport } from './edit.ts';
import type { FillReport } from './fill.ts';
import type { NodeProof } from './proof.ts';

/** Hex digits of a checksum that people compare by eye. */
const CONTENTS_SHOWN = 12;

/**
 * The texts of the demo are for people who have never seen a database. Lines fit a terminal of 80 columns with an indent of
 * three.
 */
export const INTRODUCTION = `An office and two tills: three nodes in three processes on this machine,
each with an empty folder. They share a secret. Nobody tells them where the
others are.`;

export function meetText(discoveryMs: number): string {
  return `All three run; ${secondsText(discoveryMs / 1000)} later each was connected with each.`;
}

export function fillText(report: FillReport): string {
  const { writeSeconds, syncSeconds, wireBytesPerDocument, jsonBytesPerDocument } = report;
  return `Safe on the office's disk after ${secondsText(writeSeconds)}, on all three disks after ${secondsText(syncSeconds)}.
A place has ${Math.round(jsonBytesPerDocument)} bytes as text. On the wire, encrypted, it took ${Math.round(wireBytesPerDocument)}.`;
}

export function editText({ edits, seconds, visibleMs }: EditReport): string {
  return `${plural(edits, 'change')} in ${secondsText(seconds)}, by three people at the same time. Half of them were
on the other two disks, and shown there, within ${milliseconds(visibleMs.p50)}; 99 of 100 within
${milliseconds(visibleMs.p99)}.`;
}

export function cutOffText(report: CutOffReport): string {
  const { conflicts, resolvedAsExpected, losersListed, deletions, undeleted, healMs } = report;
  return `Equal again after ${secondsText(healMs / 1000)}. Where both sides changed the same field, the later
change is kept; of different fields both are. So it came for ${resolvedAsExpected} of ${conflicts} places.
The ${losersListed} changes that lost are listed on all three and can be restored.
${deletions - undeleted} of ${deletions} deleted places stayed deleted.`;
}

export function crashText({ acknowledged, lost, unconfirmed, missed, catchUpMs }: CrashReport): string {
  const sales = `${formatCount(acknowledged)} sales`;
  const found = lost === 0 ? `all ${sales} are there` : `${lost} OF ${sales.toUpperCase()} ARE LOST`;
  const more = unconfirmed === 0 ? '' : `, and ${unconfirmed} not confirmed yet`;
  return `Started again: ${found}${more}.
The ${missed} that the office made meanwhile have come; all equal after ${secondsText(catchUpMs / 1000)}.`;
}

export function proofText(nodes: readonly NodeProof[]): string {
  const collections = Object.keys(nodes[0]?.fingerprints ?? {});
  const rows = nodes.map(({ nodeId, documents, fingerprints, contents }) => [
    nodeId,
    formatCount(documents),
    ...collections.map((name) => fingerprints[name] ?? ''),
    contents.slice(0, CONTENTS_SHOWN),
  ]);
  const versions = collections.map((name) => `VERSIONS OF ${name.toUpperCase()}`);
  return formatTable(['NODE', 'DOCUMENTS', ...versions, 'CONTENTS'], rows);
}

/** The last lines of the demo: only numbers. */
export function measuredText({ fill, edit, cutOff, crash }: Measured): string {
  const { visibleMs } = edit;
  return formatFields([
    ['Written', `${rate(fill.writtenPerSecond)} into one node`],
    ['Synced', `${rate(fill.syncedPerSecond)} into all three`],
    ['On the wire', `${fill.wireBytesPerDocument.toFixed(1)} bytes for a document and node`],
    [
      'Visible after',
      `${milliseconds(visibleMs.p50)} p50, ${milliseconds(visibleMs.p99)} p99, ${milliseconds(visibleMs.max)} at most: from sending a`,
    ],
    ['', 'write over HTTP until the change stream of another node has it'],
    [
      'Conflicts',
      `${cutOff.conflicts}, resolved as expected on all three: ${cutOff.resolvedAsExpected}; losers listed: ${cutOff.losersListed}`,
    ],
    ['Crash', `${crash.lost} of ${formatCount(crash.acknowledged)} confirmed writes lost`],
  ]);
}

/** The parts of a report that are measured. */
export interface Measured {
  readonly fill: FillReport;
  readonly edit: EditReport;
  readonly cutOff: CutOffReport;
  readonly crash: CrashReport;
}

function secondsText(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function rate(perSecond: number): string {
  return `${formatCount(Math.round(perSecond))} documents a second`;
}
