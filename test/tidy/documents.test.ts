// Goal: the reference pages agree with the code. Method: each page is compared with the part of the code that it describes.
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { limitsPage } from '../../scripts/limits.ts';
import { TABLE_PAGES, withTable } from '../../scripts/tables.ts';
import { REASONS } from '../../src/core/errors/index.ts';
import { CONFIG_KEYS, type ConfigKeyName } from '../../src/node/config/config-keys.ts';
import { projectFiles, readProjectFile, typescriptFiles } from './sources.ts';

test('docs/errors.md lists every reason under its code, and no other', () => {
  const sections = readProjectFile('docs/errors.md').split(/^## /m).slice(1);
  const listed = sections.map((section) => {
    const reasons = [...section.matchAll(/^\| `(\w+)` \| .*\S.* \| .*\S.* \|$/gm)].map(([, reason]) => reason);
    return [section.match(/^`(\w+)`/)?.[1], reasons.sort()];
  });
  const expected = Object.entries(REASONS).map(([code, reasons]) => [code, [...reasons].sort()]);
  assert.deepEqual(listed, expected);
});

test('every error reason is used somewhere in src', () => {
  const code = typescriptFiles('src')
    .filter(({ path }) => path !== 'src/core/errors/codes.ts' && !path.endsWith('.test.ts'))
    .map(({ text }) => text)
    .join('\n');
  const never = Object.values(REASONS)
    .flat()
    .filter((reason) => !code.includes(`'${reason}'`));
  assert.deepEqual(never, []);
});

test('docs/limits.md is what scripts/limits.ts makes of the comments in defaults.ts', () => {
  assert.equal(
    readProjectFile('docs/limits.md'),
    limitsPage(readProjectFile('src/core/config/defaults.ts')),
    'run: npm run limits',
  );
});

for (const page of TABLE_PAGES)
  test(`the table in ${page} is the one made from the code`, () => {
    const text = readProjectFile(page);
    assert.match(text, /<!-- \w+: made from .*-->\n\| .*[\s\S]*\n<!-- end of /);
    assert.equal(text, withTable(page, text), 'run: npm run docs:tables');
  });

test('every limit is documented and is used', () => {
  const defaults = 'src/core/config/defaults.ts';
  const names = [...readProjectFile(defaults).matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name!);
  const code = typescriptFiles('src')
    .filter(({ path }) => path !== defaults)
    .map(({ text }) => text)
    .join('\n');
  assert.deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code)),
    [],
  );
});

test('the comments on the settings of openDatabase name their defaults', () => {
  const source = readProjectFile('src/node/open-database.ts');
  const sections = [...source.matchAll(/interface (\w+)Settings \{\n([\s\S]*?)\n\}/g)];
  const named = sections.flatMap(([, section, members = '']) =>
    [...members.matchAll(/Default: ([^\n]+)\. \*\/\n {2}readonly (\w)(\w+)\?/g)].map(
      ([, value = '', initial = '', rest]) => ({
        key: `${section}.${initial.toUpperCase()}${rest}` as ConfigKeyName,
        value: value.replaceAll(/[`,]/g, ''),
      }),
    ),
  );
  // Lists, choices by collection and keys without a default are described in words.
  const comparable = named.filter(({ key }) => typeof CONFIG_KEYS[key].fallback !== 'object');
  assert.ok(comparable.length > 20, `only ${comparable.length} were found`);
  for (const { key, value } of comparable) assert.equal(value, String(CONFIG_KEYS[key].fallback), key);
});

test('every file or folder that a page names exists', () => {
  const files = projectFiles();
  const isThere = (name: string): boolean => files.some((path) => `/${path}`.includes(`/${name}`));
  // Reports of earlier runs stay as they were.
  const pages = files.filter((path) => path.endsWith('.md') && !path.startsWith('docs/torture/'));
  const named = pages.flatMap((page) => {
    const prose = readProjectFile(page).replace(/```[\s\S]*?```/g, '');
    const names = prose.matchAll(/`((?:src|sim|test|bench|docs|examples)\/[\w./-]+|[\w./-]+\.ts)`/g);
    return [...names].map(([, name]) => ({ page, name: name! }));
  });
  assert.ok(named.length > 100);
  assert.deepEqual(
    named.filter(({ name }) => !isThere(name)),
    [],
  );
});

test('docs/dependencies.md has a line for every dependency and nothing else', () => {
  const manifest = JSON.parse(readProjectFile('package.json')) as Record<'dependencies' | 'devDependencies', object>;
  const toolchain = JSON.parse(readProjectFile('toolchain/package.json')) as { optionalDependencies: object };
  const [runtime = '', development = '', compiledIn = ''] = readProjectFile('docs/dependencies.md')
    .split(/^## /m)
    .slice(1);
  const listed = (section: string) => [...section.matchAll(/^\| `([^`]+)` \| /gm)].map(([, name]) => name).sort();
  assert.deepEqual(listed(runtime), Object.keys(manifest.dependencies).sort());
  const expected = [...Object.keys(manifest.devDependencies), ...Object.keys(toolchain.optionalDependencies)];
  assert.deepEqual([...listed(development), ...listed(compiledIn)].sort(), expected.sort());
});

test('every term of docs/glossary.md exists in the code under the name given there', () => {
  const code = typescriptFiles('src')
    .map(({ text }) => text)
    .join('\n');
  const rows = [
    ...readProjectFile('docs/glossary.md').matchAll(/^\| (?<word>[^|]+) \| [^|]+ \| (?<names>[^|]*) \|$/gm),
  ];
  const names = rows.flatMap(({ groups }) => [...(groups?.names ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  assert.ok(names.length > 20, 'the glossary has its table');
  assert.deepEqual(
    names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code)),
    [],
  );
});

test('docs/configuration.md lists the categories of log lines that the code has', () => {
  const code = typescriptFiles('src').filter(({ path }) => !path.endsWith('.test.ts'));
  const used = code.flatMap(({ text }) => [...text.matchAll(/category: '(EntglDb\.\w+)'/g)].map(([, name]) => name!));
  const listed = /^categories are (.*?);/ms.exec(readProjectFile('docs/configuration.md'))?.[1];
  assert.deepEqual(listed?.match(/EntglDb\.\w+/g), [...new Set(used)].sort());
});

test('pages of the package link to nothing that is not in it', () => {
  const { files } = JSON.parse(readProjectFile('package.json')) as { files: string[] };
  const isPacked = (path: string) => files.some((file) => path === file || path.startsWith(`${file}/`));
  const links = projectFiles()
    .filter((path) => path.endsWith('.md') && isPacked(path))
    .flatMap((page) =>
      [...readProjectFile(page).matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(
        ([, link]) => [page, link!] as const,
      ),
    );
  assert.ok(links.length > 100);
  assert.deepEqual(
    links.filter(([page, link]) => !isPacked(posix.join(posix.dirname(page), link))),
    [],
  );
});
