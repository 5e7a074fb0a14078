import type { CommandRun } from './cli-context.ts';
import type { NodeTarget } from './node-target.ts';

/** For a command that found nothing: tells people if the node has no such collection, because its name is then likely misspelt. */
export async function noteIfUnknown({ output }: CommandRun, target: NodeTarget, collection: string): Promise<void> {
  if (output.isJson) return;
  const { collections } = await target.status();
  if (collections.some(({ name }) => name === collection)) return;
  output.note(`this node has no collection ${JSON.stringify(collection)}; \`status\` lists those that it has`);
}
