export type { Scenario } from './scenario.ts';
export { SCENARIOS } from './scenarios.ts';
