// Why a test may be skipped: what it needs is not on every machine. A skip for any other reason fails the run, so that no proof
// goes missing without a word. Plain JavaScript: see setup.mjs.

const LISTED = [
  /^strace (runs on Linux only|is not installed|may not trace here)/,
  /^network namespaces (exist on Linux only|need root|cannot be made)/,
  /^a small disk (is made with tmpfs|is mounted|cannot be mounted)/,
  /^a network in software needs/,
  /^what a process takes is read from \/proc/,
  /^another user (is needed|cannot read this work tree)/,
  /^needs --expose-gc$/,
  /^root may write into every folder$/,
  /^Windows has no modes of files$/,
  /^pipes have no names in folders there$/,
];

/** What of these skips, each `{ name, skip }` as node:test tells it, is not listed: one line each. */
export function unlistedSkips(skips) {
  return skips
    .filter(({ skip }) => !LISTED.some((pattern) => pattern.test(String(skip))))
    .map(({ name, skip }) => `✖ ${name} was skipped for a reason that scripts/skips.mjs does not list: ${skip}`);
}
