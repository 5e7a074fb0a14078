export { FIXED_LIMITS, LIMITS, type Limits, TIMES, TOKEN_CHARS_MIN } from './defaults.ts';
