import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatAgo, formatBytes, formatTable } from '../format.ts';
import { withTarget } from '../open-target.ts';
import { parseWhole } from '../parse-argument.ts';

/** An online, verified backup; without a name one with date and time, in BackupPath. */
export async function backup(run: CommandRun, file: string | undefined): Promise<ExitCode> {
  const path = await withTarget(run, {}, (target) => target.backup(file ?? null));
  await run.output.answer({ path }, `Backed up to ${path}; it was read again and is sound.`);
  return EXIT.ok;
}

export async function check(run: CommandRun): Promise<ExitCode> {
  await withTarget(run, {}, (target) => target.checkIntegrity());
  await run.output.answer({ isSound: true }, 'The database is sound.');
  return EXIT.ok;
}

export async function compact(run: CommandRun): Promise<ExitCode> {
  const bytesFreed = await withTarget(run, {}, (target) => target.compact());
  await run.output.answer({ bytesFreed }, `Gave ${formatBytes(bytesFreed)} back.`);
  return EXIT.ok;
}

export async function conflicts(run: CommandRun, { limit }: { readonly limit: string }): Promise<ExitCode> {
  const count = parseWhole(limit, '--limit', 1);
  const found = await withTarget(run, {}, (target) => target.conflicts(count));
  const nowMs = run.context.clock.now();
  const rows = found.map((entry) => [
    String(entry.id),
    formatAgo(entry.at, nowMs),
    entry.collection,
    entry.key,
    entry.resolver,
    entry.nodes.join(', '),
  ]);
  const text =
    rows.length === 0
      ? 'No conflicts.'
      : formatTable(['ID', 'WHEN', 'COLLECTION', 'KEY', 'RESOLVED BY', 'NODES'], rows);
  await run.output.answer({ conflicts: found }, text);
  return EXIT.ok;
}
