/** A seed that takes more processor time is considered hung. Wall time proves nothing: the machine may be busy or stopped. */
export const SEED_CPU_SECONDS_MAX = 900;
/** How often the processor time of a seed is looked at. */
export const LOOK_MS = 5000;
/** So many looks in a row at a seed that does nothing, five minutes of them, prove that it waits for what never comes. */
const IDLE_LOOKS_MAX = 60;
/** A thread that took less since the last look did nothing but answer the look. */
const IDLE_CPU_MS = 5;

/** Judges one seed by the processor time that its thread took, which is told at each look. */
export class HangWatch {
  readonly #startMs: number;
  #lastMs: number;
  #idleLooks = 0;

  constructor(cpuMs: number) {
    this.#startMs = cpuMs;
    this.#lastMs = cpuMs;
  }

  /** Why the seed is considered hung; undefined while it is not. */
  look(cpuMs: number): string | undefined {
    this.#idleLooks = cpuMs - this.#lastMs < IDLE_CPU_MS ? this.#idleLooks + 1 : 0;
    this.#lastMs = cpuMs;
    if (cpuMs - this.#startMs > SEED_CPU_SECONDS_MAX * 1000)
      return `did not end within ${SEED_CPU_SECONDS_MAX} s of processor time`;
    return this.#idleLooks < IDLE_LOOKS_MAX ? undefined : 'waits for something that never comes';
  }
}
