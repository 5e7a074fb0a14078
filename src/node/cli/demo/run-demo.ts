import { TimeoutError } from '../../../core/errors/index.ts';
import type { CliContext } from '../cli-context.ts';
import { CommandStopped } from '../exit-code.ts';
import { formatCount } from '../format.ts';
import { OutputClosed, outputError } from '../output.ts';
import { type Cluster, createCluster, isMeshed, NODE_NAMES, waitUntil } from './cluster.ts';
import { type CrashReport, crash } from './crash.ts';
import { type CutOffReport, cutOff } from './cut-off.ts';
import { type EditReport, editEverywhere } from './edit.ts';
import { type FillReport, fill } from './fill.ts';
import { crashText, cutOffText, editText, fillText, INTRODUCTION, meetText, proofText } from './narrate.ts';
import { loadPlaces, type PlaceSet } from './places.ts';
import { type NodeProof, prove } from './proof.ts';
import type { Screen } from './screen.ts';

/** The demo gives up after this time, so that it takes at most two minutes including the clean-up. */
const DEMO_MS_MAX = 110_000;
const EDITS_PER_NODE = 150;

export interface DemoOptions {
  readonly context: CliContext;
  readonly screen: Screen;
  /** How many places of the data set are used. */
  readonly placesMax: number;
}

export interface DemoReport {
  /** The nodes hold equal documents, versions and contents; no confirmed write was lost, no deletion undone, conflicts resolved as expected. */
  readonly isEqual: boolean;
  readonly seconds: number;
  /** From the moment when all nodes were ready until each was connected with each. */
  readonly discoveryMs: number;
  readonly source: string;
  readonly fill: FillReport;
  readonly edit: EditReport;
  readonly cutOff: CutOffReport;
  readonly crash: CrashReport;
  readonly nodes: readonly NodeProof[];
}

/**
 * Runs the whole demo, and cleans up whatever happens. Rejects with TIMED_OUT, NODE_UNREACHABLE or another error of a node, or
 * with `CommandStopped` after a stop signal, or as `Output.raw` does.
 */
export async function runDemo({ context, screen, placesMax }: DemoOptions): Promise<DemoReport> {
  const stopping = new AbortController();
  const cluster = await createCluster(context, stopping.signal);
  const stop = (signal: string): void =>
    stopping.abort(new CommandStopped(signal, 'the demo was stopped; its nodes and files are gone'));
  const forget = context.onStopSignal(stop);
  // The terminal was closed. A node may be meant to go on then, a demo never is.
  process.on('SIGHUP', stop);
  const unshown = (error: Error): void => stopping.abort(outputError(error));
  context.stdout.on('error', unshown);
  const late = new TimeoutError(`the demo did not end within ${DEMO_MS_MAX / 1000} s; is this machine very busy?`);
  const cancel = context.clock.setTimer(DEMO_MS_MAX, () => stopping.abort(late));
  const stopped = new Promise<never>((_, reject) => {
    stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason), { once: true });
  });
  const story = tell(cluster, screen, placesMax);
  try {
    return await Promise.race([story, stopped]);
  } catch (error) {
    if (!(error instanceof CommandStopped || error instanceof OutputClosed)) await showLogs(cluster, screen);
    throw error;
  } finally {
    cancel();
    stopping.abort();
    await cluster.remove();
    // The nodes are gone, so the story ends too; its error no longer matters.
    await story.catch(() => {});
    process.off('SIGHUP', stop);
    context.stdout.off('error', unshown);
    forget();
  }
}

async function showLogs({ nodes }: Cluster, screen: Screen): Promise<void> {
  for (const node of nodes) {
    const log = await node.logEnd();
    if (log !== '') screen.say(`The last lines that ${node.name} logged:\n${log}`);
  }
}

async function tell(cluster: Cluster, screen: Screen, placesMax: number): Promise<DemoReport> {
  const { clock } = cluster;
  const startMs = clock.monotonic();
  screen.say(INTRODUCTION);

  screen.heading('1. They find each other');
  const [set] = await Promise.all([loadPlaces(placesMax), ...cluster.nodes.map((node) => node.start())]);
  const discoveryMs = await waitUntil(cluster, isMeshed);
  screen.say(meetText(discoveryMs));

  screen.heading(`2. ${formatCount(set.places.length)} documents go into the office: ${set.source}`);
  const filled = await fillOnScreen(cluster, set, screen);
  screen.say(fillText(filled));

  screen.heading('3. People work at all three at once');
  const edited = await editEverywhere(cluster, set, Math.min(EDITS_PER_NODE, Math.floor(set.places.length / 10)));
  screen.say(editText(edited));

  screen.heading('4. A till loses the network');
  const healed = await cutOff(cluster, set, screen);
  screen.say(cutOffText(healed));

  screen.heading('5. A till crashes');
  const recovered = await crash(cluster, screen);
  screen.say(crashText(recovered));

  screen.heading('6. Are the three equal?');
  const { areEqual, nodes } = await prove(cluster);
  screen.say(proofText(nodes));
  const isEqual =
    areEqual && recovered.lost === 0 && healed.undeleted === 0 && healed.resolvedAsExpected === healed.conflicts;
  screen.say(
    isEqual ? 'Yes: documents, versions and contents are the same.' : 'NO. This must not happen: please report it.',
  );
  return {
    isEqual,
    seconds: (clock.monotonic() - startMs) / 1000,
    discoveryMs,
    source: set.source,
    fill: filled,
    edit: edited,
    cutOff: healed,
    crash: recovered,
    nodes,
  };
}

async function fillOnScreen(cluster: Cluster, set: PlaceSet, screen: Screen): Promise<FillReport> {
  const bars = await screen.startBars(NODE_NAMES, set.places.length);
  try {
    return await fill(cluster, set, bars);
  } finally {
    bars.stop();
  }
}
