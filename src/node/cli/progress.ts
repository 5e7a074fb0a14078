import type { CliContext, Output } from './cli-context.ts';
import { formatCount } from './format.ts';

export interface Progress {
  /** `done` is in the unit of `total`; the number of documents is shown beside it. */
  update(done: number, documents: number): void;
  stop(): void;
}

const NONE: Progress = { update: () => {}, stop: () => {} };

/** Shows a bar on the standard error output if that is a terminal and JSON was not requested. Loads cli-progress when needed. */
export async function startProgress({ stderr }: CliContext, { isJson }: Output, total: number): Promise<Progress> {
  if (isJson || stderr.isTTY !== true || total <= 0) return NONE;
  const { SingleBar, Presets } = (await import('cli-progress')).default;
  const options = {
    format: '{bar} {percentage}% | {documents} documents | {eta_formatted} left',
    stream: stderr,
    clearOnComplete: true,
    hideCursor: true,
  };
  const bar = new SingleBar(options, Presets.shades_classic);
  bar.start(total, 0, { documents: '0' });
  return {
    update: (done, documents) => bar.update(Math.min(done, total), { documents: formatCount(documents) }),
    stop: () => bar.stop(),
  };
}
