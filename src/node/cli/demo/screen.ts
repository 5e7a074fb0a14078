import { styleText } from 'node:util';
import type { CliContext } from '../cli-context.ts';
import { formatCount } from '../format.ts';

/** Without a terminal, at most one line about the progress per this time. */
const PLAIN_LINE_MS = 2000;
const NAME_CHARS = 10;

/** Shows the demo while it runs: sentences, and bars, which are redrawn if the output is a terminal. */
export interface Screen {
  heading(text: string): void;
  /** One or several lines; each is indented. */
  say(text: string): void;
  startBars(names: readonly string[], total: number): Promise<Bars>;
}

export interface Bars {
  /** A count for each name. */
  update(counts: readonly number[]): void;
  /** Leaves the last state on the screen. Idempotent. */
  stop(): void;
}

/** For `--json`, which prints only the answer at the end. */
export const silentScreen: Screen = {
  heading: () => {},
  say: () => {},
  startBars: async () => ({ update: () => {}, stop: () => {} }),
};

export function createScreen({ stdout, clock }: Pick<CliContext, 'stdout' | 'clock'>): Screen {
  const isTerminal = stdout.isTTY === true;
  const say = (text: string): void => {
    stdout.write(`${text.replaceAll(/^(?=.)/gm, '   ')}\n`);
  };
  return {
    heading: (text) => {
      stdout.write(`\n${styleText('bold', text, { stream: stdout })}\n`);
    },
    say,
    startBars: (names, total) =>
      isTerminal ? startDrawnBars(stdout, names, total) : Promise.resolve(startPlainBars(say, clock, names, total)),
  };
}

/** Loads cli-progress when called. */
async function startDrawnBars(stream: NodeJS.WritableStream, names: readonly string[], total: number): Promise<Bars> {
  const { MultiBar, Presets } = (await import('cli-progress')).default;
  const options = {
    format: '   {name} {bar} {value} of {total}',
    formatValue: (value: number) => formatCount(value),
    barsize: 40,
    stream,
    hideCursor: true,
    gracefulExit: false,
  };
  const multi = new MultiBar(options, Presets.shades_classic);
  const bars = names.map((name) => multi.create(total, 0, { name: name.padEnd(NAME_CHARS) }));
  let isStopped = false;
  return {
    update: (counts) => {
      for (const [i, bar] of bars.entries()) bar.update(Math.min(counts[i] ?? 0, total));
    },
    stop: () => {
      if (!isStopped) multi.stop();
      isStopped = true;
    },
  };
}

function startPlainBars(say: Screen['say'], clock: CliContext['clock'], names: readonly string[], total: number): Bars {
  let nextAt = clock.monotonic() + PLAIN_LINE_MS;
  return {
    update: (counts) => {
      const now = clock.monotonic();
      if (now < nextAt && counts.some((count) => count < total)) return;
      nextAt = counts.every((count) => count >= total) ? Number.POSITIVE_INFINITY : now + PLAIN_LINE_MS;
      say(names.map((name, i) => `${name} ${formatCount(counts[i] ?? 0)}`).join(', '));
    },
    stop: () => {},
  };
}
