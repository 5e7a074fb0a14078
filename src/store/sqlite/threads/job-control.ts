/** In place of a number of parts: the job should end. */
const STOPPED = -1;

/**
 * State that the two ends of a job share, since the worker cannot read messages while it works: whether it should end, and
 * how many parts of its answer were taken. A worker whose parts are not taken waits, so that only a few are in memory.
 */
export class JobControl {
  /** The shared cell: number of parts taken so far, or `STOPPED`. The worker only reads it. */
  readonly cell: Int32Array<SharedArrayBuffer>;

  constructor(cell: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4))) {
    this.cell = cell;
  }

  get isStopped(): boolean {
    return Atomics.load(this.cell, 0) === STOPPED;
  }

  /** Asks the job to end soon. */
  stop(): void {
    Atomics.store(this.cell, 0, STOPPED);
    Atomics.notify(this.cell, 0);
  }

  /** Reports that one more part was taken. */
  took(): void {
    if (this.isStopped) return;
    Atomics.add(this.cell, 0, 1);
    Atomics.notify(this.cell, 0);
  }

  /** In the worker: blocks while at least `waitingMax` of the `sent` parts are not taken, unless the job is stopped. */
  waitForRoom(sent: number, waitingMax: number): void {
    for (;;) {
      const taken = Atomics.load(this.cell, 0);
      if (taken === STOPPED || sent - taken < waitingMax) return;
      Atomics.wait(this.cell, 0, taken);
    }
  }
}
