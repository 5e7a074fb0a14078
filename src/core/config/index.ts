export { LIMITS, type Limits, TIMES } from './defaults.ts';
