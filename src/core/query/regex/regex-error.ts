/** What is wrong with a pattern. The message is a predicate: "the filter's $regex at "a" repeats nothing with *". */
export class RegexError extends Error {}
