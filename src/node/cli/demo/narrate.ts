import { formatCount, formatTable, plural } from '../format.ts';
import type { CutOffReport } from './cut-off.ts';
import type { EditReport } from './edit.ts';
import type { FillReport } from './fill.ts';
import type { PowerCutReport } from './power-cut.ts';
import type { NodeProof } from './proof.ts';

/** What the demo says of what it measured, for somebody who has never seen a database. */

export const INTRODUCTION = `An office and two tills: three nodes in three processes on this machine, each with an empty folder.
They share a secret. Nobody tells them where the others are.`;

export function fillText(report: FillReport): string {
  const { writeSeconds, syncSeconds, wireBytesPerDocument, jsonBytesPerDocument } = report;
  return `Safe on the office's disk after ${secondsText(writeSeconds)}, on all three disks after ${secondsText(syncSeconds)}: ${rate(report.syncedPerSecond)}.
A document takes ${Math.round(jsonBytesPerDocument)} bytes as text, and took ${Math.round(wireBytesPerDocument)} on the wire to each till, encrypted.`;
}

export function editText({ edits, seconds, visibleMs }: EditReport): string {
  return `${plural(edits, 'change')} in ${secondsText(seconds)}, each node one after the other.
The other nodes had them on disk and showed them after ${milliseconds(visibleMs.p50)} (half of them) to ${milliseconds(visibleMs.p99)} (99 of 100).`;
}

export function cutOffText({ conflicts, resolvedAsExpected, deletions, undeleted, healMs }: CutOffReport): string {
  return `Equal again after ${secondsText(healMs / 1000)}. Where both changed the same field, the later change is kept; of different fields, both.
${resolvedAsExpected} of ${conflicts} conflicts are resolved so on all three; ${deletions - undeleted} of ${deletions} deleted places stay deleted.`;
}

export function powerCutText({ acknowledged, lost, missed, catchUpMs }: PowerCutReport): string {
  return `Power on: ${formatCount(acknowledged - lost)} of these ${formatCount(acknowledged)} sales are there. The ${missed} that it missed came by themselves;
all three were equal ${secondsText(catchUpMs / 1000)} after its start.`;
}

export function proofText(nodes: readonly NodeProof[]): string {
  const rows = nodes.map(({ nodeId, documents, fingerprints, contents }) => [
    nodeId,
    formatCount(documents),
    Object.entries(fingerprints)
      .map(([name, fingerprint]) => `${name} ${fingerprint}`)
      .join(', '),
    contents.slice(0, 12),
  ]);
  return formatTable(['NODE', 'DOCUMENTS', 'VERSIONS (FINGERPRINT)', 'CONTENTS (SHA-256)'], rows);
}

/** The last lines: only numbers. */
export function measuredText({
  fill,
  edit,
  cutOff,
}: {
  readonly fill: FillReport;
  readonly edit: EditReport;
  readonly cutOff: CutOffReport;
}): string {
  const { visibleMs } = edit;
  return [
    `written         ${rate(fill.writtenPerSecond)} into one node`,
    `synced          ${rate(fill.syncedPerSecond)} into all three`,
    `visible after   ${milliseconds(visibleMs.p50)} p50, ${milliseconds(visibleMs.p99)} p99, from the write over HTTP to the change stream of another node`,
    `on the wire     ${fill.wireBytesPerDocument.toFixed(1)} bytes a document`,
    `conflicts       ${cutOff.conflicts}, resolved the same way everywhere: ${cutOff.resolvedAsExpected}`,
  ].join('\n');
}

export function secondsText(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function rate(perSecond: number): string {
  return `${formatCount(Math.round(perSecond))} documents a second`;
}
