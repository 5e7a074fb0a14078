/**
 * Goal: what a command said to be done survives a power cut, and a cut before that leaves the old state or the new one, in which the
 * command can be run again. Method: the system calls of each command are recorded on a populated folder; for a cut anywhere, the disk
 * is rebuilt with none, all, some or parts of what was not synced (see power-cuts.ts), opened, and compared.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom } from '../../src/testing/index.ts';
import { COMMAND_CASES, type CommandCase } from './command-cases.ts';
import { runOf, stateProblems, withPopulated } from './command-check.ts';
import { type Populated, populate } from './command-folder.ts';
import { runAgain, runTraced } from './command-run.ts';
import { DiskImage, SURVIVALS, verifyImage } from './disk-image.ts';
import { Folder } from './folder.ts';
import { withScratch } from './scratch.ts';
import { straceProblem } from './strace.ts';
import { mayBegin, type Suite, type SuiteOptions, type SuiteResult, skippedResult, spread, Tally } from './suite.ts';
import { parseTrace, TRACE_ARGS, type TraceEvent } from './trace.ts';

const MAIN = 'entgldb.db';
/** How many images of one command a small sample tries, so that not every command must be recorded first. */
const IMAGES_PER_COMMAND = 10;
/** One in this many images also gets the command again. */
const AGAIN_EVERY = 4;
/** A service has no answer that would be true only when it is durable; a node in this process is not recorded, nor are folders. */
const CASES = COMMAND_CASES.filter(
  ({ isService, on, hasFolder }) => isService !== true && on !== 'beside a node' && hasFolder !== true,
);

export const commandCuts: Suite = {
  name: 'power cuts in commands',
  about: 'disks of commands rebuilt with none, all, some or parts of what was not synced',
  counts: { ci: 30, full: 4000 },
  run,
};

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const why = straceProblem();
  if (why !== null) return skippedResult(why);
  const { count, seed } = options;
  const tally = new Tally();
  await withScratch(async (scratch) => {
    const before = await populate(scratch);
    const commands = spread(CASES, Math.ceil(count / IMAGES_PER_COMMAND), seed);
    const share = Math.ceil(count / commands.length);
    for (const of of commands)
      await withPopulated(of, before, join(scratch, 'cut'), (folder) =>
        cutOne(of, before, folder, { ...options, count: share }, tally),
      );
  });
  return tally.result();
}

async function cutOne(
  of: CommandCase,
  before: Populated,
  path: string,
  options: SuiteOptions,
  tally: Tally,
): Promise<void> {
  if (!mayBegin(options, tally)) return;
  const { count, seed } = options;
  const command = runOf(of, path, before);
  const folder = new Folder(path, MAIN);
  const first = folder.read();
  const events = await record(path, first, async (args) => {
    const end = await runTraced(command, args);
    if (end.code !== (of.code ?? 0)) throw new Error(`${of.name} ended with ${end.code}: ${end.err}`);
  });
  const disk = new DiskImage(path, first);
  let isDone = false;
  let next = 0;
  for (let nth = 0; nth < count && mayBegin(options, tally); nth++) {
    const random = createSeededRandom(seed * 1_000_003 + nth);
    const cut = Math.floor(((nth + random.integer(0, 99) / 100) / count) * (events.length + 1));
    for (; next < cut; next++) {
      const event = events[next]!;
      disk.apply(event);
      isDone ||= event.kind === 'line';
    }
    const survival = SURVIVALS[nth % SURVIVALS.length]!;
    folder.lay(disk.after(survival, random));
    const problems = await stateProblems(path, of, before, isDone);
    if (problems.length === 0 && nth % AGAIN_EVERY === 0) {
      const { code, err } = await runAgain(command);
      if (code !== (of.code ?? 0) && code !== of.codeAgain) problems.push(`when run again: exit code ${code}: ${err}`);
      problems.push(...(await stateProblems(path, of, before, true)).map((text) => `when run again: ${text}`));
    }
    const name = `${of.name}, seed ${seed} image ${nth} of ${count}, ${survival}, cut after ${cut} of ${events.length} calls`;
    if (problems.length > 0) tally.fail(`${name}${isDone ? ', done' : ''}`, problems);
    else tally.add('kept');
  }
}

async function record(
  folder: string,
  before: ReadonlyMap<string, Buffer>,
  run: (args: readonly string[]) => Promise<void>,
): Promise<readonly TraceEvent[]> {
  const log = `${folder}.log`;
  await run([...TRACE_ARGS, '-o', log]);
  const { events, unknown } = parseTrace(readFileSync(log, 'utf8'), folder);
  if (unknown.length > 0) throw new Error(`the command made calls that the images do not know: ${unknown.join(', ')}`);
  verifyImage(folder, before, events);
  return events;
}
