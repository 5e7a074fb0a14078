// Makes docs/limits.md from the comments in src/core/config/defaults.ts: `npm run limits`. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FIXED_LIMITS, LIMITS } from '../src/core/config/index.ts';

const HEAD = `# Limits

Everything that could grow has a bound, and a defined behaviour when the bound is reached. You can change each bound, except those called fixed, under
\`Limits\` in the configuration, with the first letter in upper case: \`"Limits": { "DocumentBytesMax": 2097152 }\`. This page is made from
src/core/config/defaults.ts by \`npm run limits\`.

| limit | default | what it bounds, and what happens beyond it |
|---|---|---|
`;

/** The page, made from the source text with the comments. Throws if a limit has no comment. */
export function limitsPage(source: string): string {
  const documented = new Map(
    [...source.matchAll(/^ {2}\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\n {2}(?<name>\w+):/gm)].map(
      ({ groups }) => [groups?.name ?? '', oneLine(groups?.comment ?? '')] as const,
    ),
  );
  const rows = Object.entries(LIMITS).map(([name, value]) => {
    const comment = documented.get(name);
    if (comment === undefined) throw new Error(`${name} in src/core/config/defaults.ts has no comment`);
    const fixed = FIXED_LIMITS.has(name) && !comment.includes('Fixed') ? ' Fixed.' : '';
    return `| \`${name}\` | ${formatValue(name, value)} | ${comment.replaceAll('|', '\\|')}${fixed} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

function oneLine(comment: string): string {
  return comment.replace(/\n\s*\*\s?/g, ' ').trim();
}

function formatValue(name: string, value: number): string {
  const isBytes = /Bytes(?:Max|Min)?$/.test(name);
  if (isBytes && value >= 1024 * 1024 && value % (1024 * 1024) === 0) return `${value / 1024 / 1024} MiB`;
  if (isBytes && value >= 1024 && value % 1024 === 0) return `${value / 1024} KiB`;
  return value.toLocaleString('en-US');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const source = readFileSync(join(root, 'src/core/config/defaults.ts'), 'utf8');
  writeFileSync(join(root, 'docs/limits.md'), limitsPage(source));
}
