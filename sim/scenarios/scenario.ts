/** A schedule written by hand: what random ones need tens of thousands of tries for, or do not look at. */
export interface Scenario {
  readonly name: string;
  /** Names of mutants with which it fails, beside those that name it: they break the same rule. */
  readonly alsoFailsWith?: readonly string[];
  /** Resolves with what was wrong; with nothing, as long as the engine is right. */
  play(): Promise<readonly string[]>;
}
