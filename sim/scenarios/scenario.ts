/** A schedule written by hand: what random ones need tens of thousands of tries for. */
export interface Scenario {
  readonly name: string;
  /** Resolves with what was wrong; with nothing, as long as the engine is right. */
  play(): Promise<readonly string[]>;
}
