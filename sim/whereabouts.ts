import type { Version } from '../src/core/version/index.ts';
import type { History } from './history.ts';
import { versionsOf } from './holdings.ts';
import type { Scene } from './scene.ts';

/** For the watched write, of each node: whether it is up, its id, what it knows of the author, and what it holds there. */
export function whereabouts({ cluster, history }: Scene, watched: number | undefined): string {
  const write = history.writes()[watched ?? -1];
  if (write === undefined) return '';
  const { collection, key, dot } = write;
  const states = cluster.nodes.map((node) => {
    const known = node.replica.collection(collection).knowledge.get(dot.replica)?.seq ?? 0;
    const versions = versionsOf(node.replica, collection, key).map((version) => textOf(history, version));
    return `${node.key}${node.isUp ? '' : '(down)'}=${node.replica.id.slice(0, 6)} knows ${known} has ${versions.join('+')}`;
  });
  const flags = `${write.isAcknowledged ? ' acknowledged' : ''}${write.isLost ? ' lost' : ''}${write.isUndone ? ' undone' : ''}`;
  return `\n    #${write.id}${flags} | ${states.join(' | ')}`;
}

function textOf(history: History, version: Version): string {
  const mark = version.value === null ? '-' : '';
  return `#${history.idOf(version)}${mark}@${version.replica.slice(0, 6)}:${version.seq}`;
}
