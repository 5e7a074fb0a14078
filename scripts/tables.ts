// Writes the tables of settings and metrics into their pages in docs: `npm run docs:tables`. A test compares them.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { METRICS } from '../src/diagnostics/index.ts';
import { CONFIG_KEYS, type ConfigKey } from '../src/node/config/config-keys.ts';

/** Pages with a table of the code between two comments. */
export const TABLE_PAGES = ['docs/configuration.md', 'docs/metrics.md'] as const;

/** The page with its table made anew; what stands around the table stays. */
export function withTable(page: (typeof TABLE_PAGES)[number], text: string): string {
  const rows = page === 'docs/metrics.md' ? metricRows() : keyRows();
  return text.replace(/(?<=<!-- \w+: made from .*-->\n)[\s\S]*(?=\n<!-- end of )/, () => rows.join('\n'));
}

/** Limits have a page of their own. */
function keyRows(): string[] {
  const rows = Object.entries<ConfigKey<unknown>>(CONFIG_KEYS).map(([name, { kind, fallback, meaning }]) => {
    const plain = fallback instanceof Map ? Object.fromEntries(fallback) : fallback;
    return `| \`${name}\` | ${plain === null ? 'none' : `\`${JSON.stringify(plain)}\``} | ${kind.allowed} | ${meaning} |`;
  });
  return [
    '| key | default | allowed | meaning |',
    '|---|---|---|---|',
    ...rows,
    '| `Limits.*` | [limits.md](limits.md) | a positive integer | Every bound of the engine that is not fixed, by its name. |',
  ];
}

function metricRows(): string[] {
  const rows = Object.entries(METRICS).map(
    ([name, { type, labels, help }]) => `| \`${name}\` | ${type} | ${labels.join(', ') || '–'} | ${help} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  for (const page of TABLE_PAGES)
    writeFileSync(join(root, page), withTable(page, readFileSync(join(root, page), 'utf8')));
}
