// The reasons for which a test may be skipped: it needs something that not every machine has. A skip for any other reason
// fails the run, so that no test silently goes missing. Plain JavaScript: see setup.mjs.

const LISTED = [
  /^strace (runs on Linux only|is not installed|may not trace here)/,
  /^network namespaces (exist on Linux only|need root|cannot be made)/,
  /^a small disk (is made with tmpfs|is mounted|cannot be mounted)/,
  /^a network in software needs/,
  /^only Linux has \/proc$/,
  /^what a process takes is read from \/proc/,
  /^another user (is needed|cannot read this work tree)/,
  /^root may write into every folder$/,
  /^Windows has no modes of files$/,
  /^a full disk behind the output is \/dev\/full/,
  /^pipes have no names in folders there$/,
  /^a folder cannot be opened as a file there$/,
];

/** One line for each skip whose reason is not listed. A skip is `{ name, skip }`, as node:test reports it. */
export function unlistedSkips(skips) {
  return skips
    .filter(({ skip }) => !LISTED.some((pattern) => pattern.test(String(skip))))
    .map(({ name, skip }) => `✖ ${name} was skipped for a reason that scripts/skips.mjs does not list: ${skip}`);
}
