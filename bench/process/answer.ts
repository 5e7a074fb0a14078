import type { Answer } from './remote.ts';

/** Does what the parent tells this process, one thing after the other; ends with it. */
export function answer<Command, Value>(perform: (command: Command) => Promise<Value>): void {
  process.on('message', async (command: Command) => {
    const done = await attempt(() => perform(command));
    if (process.connected) process.send?.(done);
  });
  process.on('disconnect', () => process.exit());
}

async function attempt<Value>(work: () => Promise<Value>): Promise<Answer<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
