/**
 * Goal: a command that dies, is stopped or is refused by the disk at any call loses nothing, leaves no half of its work under a final
 * name, says in one line what went wrong, and can be run again. Method: real processes under strace, on a populated folder; afterwards
 * the folder is opened here and compared with what was there before, the command is run again, and the folder is compared once more.
 */
import { join } from 'node:path';
import { silentLogger } from '../../src/core/logging/index.ts';
import { loadConfig, readTokens } from '../../src/node/config/index.ts';
import { startDaemon } from '../../src/node/daemon.ts';
import { openNode } from '../../src/node/open-node.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { systemRandom } from '../../src/node/system-random.ts';
import { COMMAND_CASES, type CommandCase } from './command-cases.ts';
import { debrisIn, runOf, stateProblems, withPopulated } from './command-check.ts';
import { type Populated, populate } from './command-folder.ts';
import { type CommandEnd, type DiskCall, diskCallsOf, injectionAt, runAgain, runTraced } from './command-run.ts';
import { withScratch } from './scratch.ts';
import { straceProblem } from './strace.ts';
import {
  mayBegin,
  type Outcome,
  type Suite,
  type SuiteOptions,
  type SuiteResult,
  skippedResult,
  spread,
  Tally,
} from './suite.ts';

/** How many points of one command a small sample tries, so that not every command must be traced first. */
const POINTS_PER_COMMAND = 3;
const FAULTS = ['signal=KILL', 'error=ENOSPC', 'error=EIO', 'signal=INT', 'signal=TERM'] as const;
type Fault = (typeof FAULTS)[number];
const [KILLED, INTERRUPTED, TERMINATED] = [128 + 9, 128 + 2, 128 + 15];

interface Point extends DiskCall {
  readonly of: CommandCase;
  readonly fault: Fault;
}

export const commandSweep: Suite = {
  name: 'commands',
  about: 'each command killed, stopped, or refused by the disk at the Nth call that changes the disk',
  counts: { ci: 9, full: 700 },
  run,
};

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const why = straceProblem();
  if (why !== null) return skippedResult(why);
  const tally = new Tally();
  await withScratch(async (scratch) => {
    const before = await populate(scratch);
    const { seed, count } = options;
    // One path for all: some calls are counted only on their path.
    const place = join(scratch, 'command');
    const commands = spread(COMMAND_CASES, Math.ceil(count / POINTS_PER_COMMAND), seed);
    const share = Math.ceil(count / commands.length);
    let [known, missed] = [0, 0];
    for (const of of commands) {
      if (!mayBegin(options, tally)) break;
      const points = await pointsOf(of, before, place, seed);
      known += points.length;
      for (const point of spread(points, share, seed)) {
        if (!mayBegin(options, tally)) break;
        const { outcome, problems } = await runPoint(point, before, place);
        if (problems.length > 0) tally.fail(nameOf(point), problems);
        else if (outcome === 'missed') missed++;
        else tally.add(outcome);
      }
    }
    tally.notes.push(`${commands.length} commands with ${known} points, ${missed} points not reached`);
  });
  return tally.result();
}

function nameOf({ of, fault, call, path, nth }: Point): string {
  return `${of.name}: ${fault} at ${call} ${nth}${path === null ? '' : ` of ${path.slice(path.lastIndexOf('/') + 1)}`}`;
}

function faultsAt({ call }: DiskCall): readonly Fault[] {
  return FAULTS.filter((fault) => fault !== 'error=ENOSPC' || !(call.endsWith('sync') || call === 'unlink'));
}

async function pointsOf(of: CommandCase, before: Populated, scratch: string, seed: number): Promise<Point[]> {
  return withPopulated(of, before, scratch, async (folder) => {
    const calls = await besideNode(of, folder, () => diskCallsOf(runOf(of, folder, before), `${scratch}.log`, seed));
    return calls.flatMap((call) => faultsAt(call).map((fault) => ({ ...call, of, fault })));
  });
}

/** Runs work while a node runs on the folder, if the case wants one. */
async function besideNode<T>(of: CommandCase, folder: string, work: () => Promise<T>): Promise<T> {
  if (of.on !== 'beside a node') return work();
  const config = await loadConfig({ workingDirectory: folder, environment: {} });
  const { signal } = new AbortController();
  const deps = { openNode, clock: systemClock, random: systemRandom, logger: silentLogger, signal };
  const node = await startDaemon(config, await readTokens(config), deps);
  try {
    return await work();
  } finally {
    await node.close();
  }
}

interface Judged {
  readonly outcome: Outcome | 'missed';
  readonly problems: readonly string[];
  /** The process had no chance to clean up. */
  readonly isAbrupt: boolean;
}

function runPoint(point: Point, before: Populated, scratch: string): Promise<Pick<Judged, 'outcome' | 'problems'>> {
  const { of, fault } = point;
  return withPopulated(of, before, scratch, async (folder) => {
    const run = runOf(of, folder, before);
    const end = await besideNode(of, folder, () => runTraced(run, injectionAt(point, fault)));
    const { outcome, problems, isAbrupt } = judge(of, fault, end);
    const isDone = of.isService !== true && end.out.includes('\n');
    const mayLeave = isAbrupt || (point.call === 'unlink' && fault.startsWith('error'));
    const first = [
      ...problems,
      ...(mayLeave ? [] : debrisIn(folder, of, before)),
      ...(await stateProblems(folder, of, before, isDone)),
    ];
    if (first.length > 0) return { outcome, problems: [...first, `it said: ${end.err.slice(0, 600)}`] };
    const again = await besideNode(of, folder, () => runAgain(run));
    const second = [
      ...(again.code === (of.code ?? 0) || again.code === of.codeAgain
        ? []
        : [`exit code ${again.code}: ${again.err.trim()}`]),
      ...debrisIn(folder, of, before),
      ...(await stateProblems(folder, of, before, of.isService !== true)),
    ];
    return { outcome, problems: second.map((text) => `when run again: ${text}`) };
  });
}

/** What is wrong with how the command ended. */
function judge({ code: good = 0, isService }: CommandCase, fault: Fault, { code, err }: CommandEnd): Judged {
  const lines = err.split('\n').filter((line) => line !== '' && !isNotice(line));
  const kept = { outcome: 'kept', problems: [], isAbrupt: false } as const;
  if (fault === 'signal=KILL') {
    if (code === good) return { ...kept, outcome: 'missed' };
    const wrong = code === KILLED ? [] : [`was not hit, ended with ${code}: ${err.slice(-500)}`];
    return { outcome: 'kept', problems: wrong, isAbrupt: true };
  }
  // The signal came before the command had begun to listen to it, or a service that was stopping got a second one.
  const isUnheard = code === (fault === 'signal=INT' ? INTERRUPTED : TERMINATED);
  const isSecond = isService === true && [INTERRUPTED, TERMINATED].includes(code);
  if (lines.length === 0 && (isUnheard || isSecond)) return { ...kept, isAbrupt: true };
  const problems = lines.filter((line) => errorIn(line) === undefined);
  const errors = lines.flatMap((line) => errorIn(line) ?? []);
  if (code === good && errors.length === 0) return { ...kept, problems };
  if (errors.length !== 1) problems.push(`ended with ${code} and ${errors.length} errors`);
  if (errors.some((each) => each.code === 'INTERNAL_ERROR')) problems.push('the error is not one of ours');
  if (fault.startsWith('signal') && ![INTERRUPTED, TERMINATED].includes(code)) problems.push(`ended with ${code}`);
  return { outcome: 'reported', problems, isAbrupt: false };
}

function isNotice(line: string): boolean {
  return line.startsWith('entgldb: ') || /^\{"level":/.test(line);
}

function errorIn(line: string): { readonly code: string } | undefined {
  try {
    return (JSON.parse(line) as { error?: { code: string } }).error;
  } catch {
    return undefined;
  }
}
