export { compileRegex } from './compile-regex.ts';
export { literalStart, matchesRegex } from './match-regex.ts';
export type { RegexProgram } from './program.ts';
export { RegexError } from './regex-error.ts';
