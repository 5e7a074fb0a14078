import { ConfigurationError } from '../../../core/errors/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatTable, printable, shortText } from '../format.ts';
import { withTarget } from '../open-target.ts';

export interface HistoryArguments {
  readonly undo?: boolean;
  readonly to?: string;
}

/** Lists what readers saw of a document, or writes an earlier value again. */
export async function history(
  run: CommandRun,
  collection: string,
  key: string,
  { undo, to }: HistoryArguments,
): Promise<ExitCode> {
  if (to !== undefined && undo !== true)
    throw new ConfigurationError('USAGE', '--to says what --undo goes back to; give both');
  const toMs = to === undefined ? undefined : parseMoment(to);
  if (undo === true) {
    await withTarget(run, {}, (target) =>
      target.collection(collection).undo(key, toMs === undefined ? {} : { to: toMs }),
    );
    await run.output.answer(
      { collection, key, undone: true },
      `Wrote ${printable(key)} of ${collection} again as it was.`,
    );
    return EXIT.ok;
  }
  const entries = await withTarget(run, {}, (target) => target.collection(collection).history(key));
  const rows = entries.map(({ since, until, node, value }) => [
    since === 0 ? 'always' : new Date(since).toISOString(),
    until === null ? 'now' : new Date(until).toISOString(),
    node ?? '?',
    shortText(value),
  ]);
  const table = formatTable(['FROM', 'UNTIL', 'BY', 'DOCUMENT'], rows);
  await run.output.answer(
    { entries },
    rows.length === 0 ? `Nothing is known of ${printable(key)} in ${collection}.` : table,
  );
  return entries.length === 0 ? EXIT.no : EXIT.ok;
}

/** A date with time as in 2026-11-28T15:04:05Z, or milliseconds since 1970. */
function parseMoment(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw new ConfigurationError('USAGE', `--to ${text}: give a time as in 2026-11-28T15:04:05Z`);
}
