import { setTimeout as pause } from 'node:timers/promises';
import { nowMs, runningMs } from '../integration/running-time.ts';

const POLL_MS = 50;

/** Polls until `isSo` holds. Resolves with the milliseconds that took (`runningMs`), or with undefined after `msMax`. */
export async function timeUntil(isSo: () => boolean | Promise<boolean>, msMax: number): Promise<number | undefined> {
  const startedAt = nowMs();
  while (!(await isSo())) {
    if (runningMs(startedAt) > msMax) return undefined;
    await pause(POLL_MS);
  }
  return runningMs(startedAt);
}
