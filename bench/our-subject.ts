import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningNode } from '../src/node/node-api.ts';
import type { Figures, Subject } from './bench-case.ts';
import { fill, openOurs } from './ours.ts';
import type { RawOptions } from './raw-subject.ts';

/** The engine without a network, under the same conditions as the baselines. */
export function ourSubject(
  options: RawOptions,
  measure: (node: RunningNode, round: number) => Promise<Figures>,
): Subject {
  return async (folder) => {
    const place = (round: number) => {
      const path = join(folder, options.isFreshEachRun ? `run-${round}` : 'data');
      mkdirSync(path, { recursive: true });
      return path;
    };
    const open = (round: number) => openOurs(place(round), { nodeId: 'bench', durability: options.durability });
    let node = await open(0);
    await fill(node, options.documents ?? 0);
    return {
      async run(round) {
        if (options.isFreshEachRun || options.isReopenedEachRun) {
          await node.close();
          node = await open(round);
        }
        return measure(node, round);
      },
      close: () => node.close(),
    };
  };
}
