export {
  type IndexDefinition,
  type IndexOptions,
  type IndexSpec,
  invalidIndex,
  parseIndex,
} from './index-definition.ts';
export { indexEntries } from './index-entries.ts';
export { indexKey, keyText } from './index-key.ts';
export { type IndexPlan, planQuery } from './plan-query.ts';
