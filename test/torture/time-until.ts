import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 50;

/** Polls until `isSo` holds. Resolves with the milliseconds that took, or with undefined after `msMax`. */
export async function timeUntil(isSo: () => boolean | Promise<boolean>, msMax: number): Promise<number | undefined> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > msMax) return undefined;
    await pause(POLL_MS);
  }
  return performance.now() - startedAt;
}
