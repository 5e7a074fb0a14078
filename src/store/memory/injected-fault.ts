import { type ErrorReason, PersistenceError } from '../../core/errors/index.ts';

export type Fault = ErrorReason<'PERSISTENCE_ERROR'>;

/** A fault of a virtual disk, for the next so many calls. */
export class InjectedFault {
  readonly #what: string;
  #count = 0;
  #reason: Fault = 'IO_FAILED';
  /** Rises with every change of the fault: when it is set, and when it counts down. */
  revision = 0;

  constructor(what: string) {
    this.#what = what;
  }

  /** `count`: 0 ends the fault, Infinity lets it stay. */
  set(count: number, reason: Fault): void {
    this.#count = count;
    this.#reason = reason;
    this.revision++;
  }

  /** Throws the fault and counts it down, if any is left. */
  failIfDue(): void {
    if (this.#count <= 0) return;
    if (this.#count-- !== Number.POSITIVE_INFINITY) this.revision++;
    throw new PersistenceError(this.#reason, `${this.#what} (${this.#reason})`);
  }
}
