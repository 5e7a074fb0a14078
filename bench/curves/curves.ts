import type { NodeCount } from '../virtual/node-counts.ts';
import type { Plot, PlotLine, Point } from './svg-plot.ts';

/** The data of the plots, kept next to them. */
export interface Curves {
  readonly at: string;
  readonly commit: string;
  readonly machine: string;
  readonly runs: number;
  /** By `curve, figure, subject`: pairs of the number of documents and the median. */
  readonly bySize: Readonly<Record<string, readonly Point[]>>;
  readonly byNodes: readonly NodeCount[];
}

const DOCUMENTS = 'documents';
const NODES = 'nodes (simulated)';

/** The plots, by file name without extension. */
export function plotsOf({ bySize, byNodes }: Curves): Record<string, Plot> {
  const line = (name: string, key: string, isDashed = false): PlotLine => ({
    name,
    points: bySize[key] ?? [],
    isDashed,
  });
  const nodes = (name: string, figure: keyof NodeCount): PlotLine => ({
    name,
    points: byNodes.map((count) => [count.nodes, count[figure]]),
  });
  return {
    write: {
      title: 'Cost of an update of a random document',
      xLabel: DOCUMENTS,
      yLabel: 'µs',
      lines: [
        line('singly', 'update, µs, single, ours'),
        line('singly, row', 'update, µs, single, row', true),
        line('in batches', 'update, µs, batched, ours'),
        line('in batches, row', 'update, µs, batched, row', true),
      ],
    },
    sync: {
      title: 'Time of two nodes that meet',
      xLabel: DOCUMENTS,
      yLabel: 'ms',
      lines: [
        line('first sync', 'first sync, ms, ours'),
        line('first sync, row', 'first sync, ms, row', true),
        line('catch-up', 'catch-up, ms, ours'),
        line('catch-up, row', 'catch-up, ms, row', true),
        line('equal', 'equal, ms, ours'),
      ],
    },
    memory: {
      title: 'Most memory of a process',
      xLabel: DOCUMENTS,
      yLabel: 'MiB',
      lines: [
        line('first sync', 'first sync, peak MiB, ours'),
        line('first sync, row', 'first sync, peak MiB, row', true),
        line('updates', 'update, peak MiB, ours'),
        line('start', 'cold start, peak MiB, ours'),
      ],
    },
    start: {
      title: 'Cold start',
      xLabel: DOCUMENTS,
      yLabel: 'ms',
      lines: [line('ready', 'cold start, ready ms, ours'), line('first read', 'cold start, first read ms, ours')],
    },
    idle: {
      title: 'A node with 8 silent peers',
      xLabel: DOCUMENTS,
      yLabel: 'KB/s, and % of a core',
      lines: [line('KB/s', 'idle, KB/s, ours'), line('% of a core', 'idle, core %, ours')],
    },
    'nodes-cost': {
      title: 'What a node sends, and how many links it has',
      xLabel: NODES,
      yLabel: 'messages, bytes, links',
      lines: [
        nodes('bytes a write', 'bytesPerWrite'),
        nodes('bytes/s idle', 'idleBytesPerSecond'),
        nodes('messages a write', 'messagesPerWrite'),
        nodes('links', 'linksPerNode'),
      ],
    },
    'nodes-time': {
      title: 'Virtual time until all nodes have a write',
      xLabel: NODES,
      yLabel: 'ms, where a frame takes 1 ms',
      lines: [nodes('median', 'medianMs'), nodes('slowest of 20', 'slowestMs')],
    },
  };
}
