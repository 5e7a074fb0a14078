import { ConfigurationError } from '../../../core/errors/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';

export interface DemoArguments {
  readonly places?: string;
}

/** Runs the demo, which is loaded only now. Exit code 0 only if the three nodes are equal in the end. */
export async function demo({ context, output }: CommandRun, { places }: DemoArguments): Promise<ExitCode> {
  const placesMax = places === undefined ? Number.POSITIVE_INFINITY : Number(places);
  if (!(placesMax >= PLACES_MIN)) {
    throw new ConfigurationError('USAGE', `--places is ${places}; give a number from ${PLACES_MIN} on`);
  }
  const { createScreen, measuredText, runDemo, silentScreen } = await import('../demo/index.ts');
  const screen = output.isJson ? silentScreen : createScreen(context);
  const report = await runDemo({ context, screen, placesMax });
  screen.heading(`Measured, in ${report.seconds.toFixed(0)} s`);
  screen.say(measuredText(report));
  if (output.isJson) await output.raw(`${JSON.stringify(report)}\n`);
  return report.isEqual ? EXIT.ok : EXIT.no;
}

/** Enough for every part of the story to have documents of its own. */
const PLACES_MIN = 1000;
