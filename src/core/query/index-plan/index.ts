export {
  type IndexDefinition,
  type IndexOptions,
  type IndexSpec,
  invalidIndex,
  parseIndex,
} from './index-definition.ts';
export { indexEntries } from './index-entries.ts';
export { indexKey, keyText, valueKey } from './index-key.ts';
export type { KeyBounds } from './intervals.ts';
export { type IndexPlan, planQuery } from './plan-query.ts';
