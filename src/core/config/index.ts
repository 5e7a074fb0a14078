export { FIXED_LIMITS, LIMITS, type Limits, TIMES } from './defaults.ts';
