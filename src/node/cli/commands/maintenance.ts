import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatAgo, formatBytes, formatTable, shortText } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseWhole } from '../parse-argument.ts';

/** Makes an online, verified backup; without `file`, under a name with date and time in BackupPath. */
export async function backup(run: CommandRun, file: string | undefined): Promise<ExitCode> {
  const path = await withTarget(run, {}, (target, stop) => target.backup(file ?? null, stop));
  await run.output.answer({ path }, `Backed up to ${path}; it was read again and is sound.`);
  return EXIT.ok;
}

export async function check(run: CommandRun): Promise<ExitCode> {
  await withTarget(run, {}, (target, stop) => target.checkIntegrity(stop));
  await run.output.answer({ isSound: true }, 'The database is sound.');
  return EXIT.ok;
}

export async function compact(run: CommandRun): Promise<ExitCode> {
  const bytesFreed = await withTarget(run, {}, (target, stop) => target.compact(stop));
  await run.output.answer({ bytesFreed }, `Gave ${formatBytes(bytesFreed)} back.`);
  return EXIT.ok;
}

export interface ConflictsArguments {
  readonly limit: string;
  readonly restore?: string;
}

/** Lists the conflict ledger, or writes the loser of one entry again. */
export async function conflicts(run: CommandRun, { limit, restore }: ConflictsArguments): Promise<ExitCode> {
  if (restore !== undefined) return restoreConflict(run, parseWhole(restore, '--restore', 1));
  const count = parseWhole(limit, '--limit', 1);
  const found = await withTarget(run, {}, (target) => target.conflicts(count));
  const nowMs = run.context.clock.now();
  const rows = found.map(({ id, at, collection, key, resolver, loser, winner }) => [
    String(id),
    formatAgo(at, nowMs),
    collection,
    key,
    resolver,
    `${loser.node ?? '?'}: ${shortText(loser.value)}`,
    `${winner.node ?? '?'}: ${shortText(winner.value)}`,
  ]);
  const text =
    rows.length === 0
      ? 'No conflicts.'
      : formatTable(['ID', 'WHEN', 'COLLECTION', 'KEY', 'RESOLVED BY', 'LOST', 'WON'], rows);
  await run.output.answer({ conflicts: found }, text);
  return EXIT.ok;
}

async function restoreConflict(run: CommandRun, id: number): Promise<ExitCode> {
  await withTarget(run, {}, (target) => target.restoreConflict(id));
  await run.output.answer({ restored: id }, `Wrote again what had lost in conflict ${id}.`);
  return EXIT.ok;
}
