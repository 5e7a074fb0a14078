/** Not a number of parts: the job is asked to end. */
const STOPPED = -1;

/**
 * What the two ends of a job share, beside the messages that the worker cannot read while it works: whether it should end, and
 * how many parts of its answer were taken. A worker whose answer nobody takes waits, and holds no more than a few parts.
 */
export class JobControl {
  /** What is handed to the worker: parts taken so far, or `STOPPED`. Only this end writes it. */
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

  /** One more part was taken. */
  took(): void {
    if (this.isStopped) return;
    Atomics.add(this.cell, 0, 1);
    Atomics.notify(this.cell, 0);
  }

  /** In the worker: blocks while so many of the parts sent are not taken, until the job is stopped. */
  waitForRoom(sent: number, waitingMax: number): void {
    for (;;) {
      const taken = Atomics.load(this.cell, 0);
      if (taken === STOPPED || sent - taken < waitingMax) return;
      Atomics.wait(this.cell, 0, taken);
    }
  }
}
