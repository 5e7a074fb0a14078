export { compileRegex } from './compile-regex.ts';
export { matchesRegex } from './match-regex.ts';
export type { RegexProgram } from './program.ts';
export { RegexError } from './regex-error.ts';
