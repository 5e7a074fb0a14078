/** A hand-written schedule for a case that random ones need tens of thousands of tries for, or do not check. */
export interface Scenario {
  readonly name: string;
  /** Mutants with which it fails too, besides those that name it. */
  readonly alsoFailsWith?: readonly string[];
  /** Resolves with what was wrong; empty if the engine is right. */
  play(): Promise<readonly string[]>;
}
