import type { Answer } from './remote.ts';

/** Performs the commands of the parent process and sends back each result. Ends this process when the parent lets go of it. */
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
