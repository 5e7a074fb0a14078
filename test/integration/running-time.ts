/**
 * A clock for tests that stands still while this machine does: a virtual machine is taken off its processor for seconds, and
 * then no node kept anybody waiting. It times other processes. Work that blocks this one counts as a standstill too.
 */
import { readFileSync } from 'node:fs';

const NS_PER_MS = 1e6;
const TICK_MS = 20;
/** A tick that is later than this was a standstill. */
const LATE_MS = 200;

/** Standstills of the machine, as times of `nowMs`. The latest comes last. */
const standstills: { readonly fromMs: number; readonly toMs: number }[] = [];
let tickedMs = nowMs();
setInterval(tick, TICK_MS).unref();

/** The clock that all processes of this machine share, `process.hrtime.bigint()`, in ms. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS;
}

/** Milliseconds between two times of `nowMs`, without standstills of the machine. Default: until now. */
export function runningMs(fromMs: number, toMs: number = nowMs()): number {
  tick();
  return standstills.reduce((ms, still) => ms - overlapMs(still, { fromMs, toMs }), toMs - fromMs);
}

/** Time for which the main thread of a process was ready but waited for a processor, ms. 0 where the system does not say. */
export function queuedMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / NS_PER_MS;
  } catch {
    return 0;
  }
}

function overlapMs(a: { fromMs: number; toMs: number }, b: { fromMs: number; toMs: number }): number {
  return Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
}

function tick(): void {
  const now = nowMs();
  if (now - tickedMs > TICK_MS + LATE_MS) standstills.push({ fromMs: tickedMs + TICK_MS, toMs: now });
  tickedMs = now;
}
