/** What is wrong with a pattern, in words that follow its name: "the pattern … repeats nothing with *". */
export class RegexError extends Error {}
