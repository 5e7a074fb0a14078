// Goal: the repository can be cloned, installed and published anywhere. Method: a look at every tracked file.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFiles, ROOT, readProjectFile } from './sources.ts';

const BLOB_BYTES_MAX = 256 * 1024;
const BINARY = /\.(?:png|jpe?g|gif|ico|woff2?|gz|zst|db|bin)$/;

const files = projectFiles();
const texts = files.filter((path) => !BINARY.test(path)).map((path) => ({ path, text: readProjectFile(path) }));

test('no file is over 256 KiB', () => {
  const large = files.filter((path) => statSync(join(ROOT, path)).size > BLOB_BYTES_MAX);
  assert.deepEqual(large, []);
});

test('no file names a package registry', () => {
  const hosts = [
    ['registry', 'npmjs', 'org'],
    ['registry', 'yarnpkg', 'com'],
    ['registry', 'npmmirror', 'com'],
    ['npm', 'pkg', 'github', 'com'],
  ];
  const names = hosts.map((labels) => labels.join('.'));
  assert.deepEqual(
    texts.filter(({ text }) => names.some((name) => text.includes(name))).map(({ path }) => path),
    [],
  );
  const lock = JSON.parse(readProjectFile('package-lock.json')) as { packages: Record<string, { resolved?: string }> };
  const resolved = Object.entries(lock.packages).filter(([, entry]) => /^\w+:\/\//.test(entry.resolved ?? ''));
  assert.deepEqual(
    resolved.map(([name]) => name),
    [],
  );
});

test('every installed package has an integrity hash', () => {
  const lock = JSON.parse(readProjectFile('package-lock.json')) as {
    packages: Record<string, { integrity?: string; link?: boolean }>;
  };
  const installed = Object.entries(lock.packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
  assert.ok(installed.length > 100);
  assert.deepEqual(
    installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path),
    [],
  );
});

test('no file names a folder of the machine on which it was written', () => {
  const machineFolder = /(?<![\w./~-])\/(?:home|root|Users|work)\/[\w.-]+/;
  const found = texts.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => (machineFolder.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
  assert.deepEqual(found, []);
});

test('the lock file has an entry for every platform’s optional package', () => {
  const lock = JSON.parse(readProjectFile('package-lock.json')) as { packages: Record<string, Entry> };
  const missing = Object.entries(lock.packages).flatMap(([place, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in lock.packages) && !(`${place}/node_modules/${name}` in lock.packages),
    ),
  );
  assert.deepEqual(missing, [], 'npm ci refuses such a lock file; see docs/guide/contributing.md');
});

test('the files that the scripts of package.json run exist', () => {
  const { scripts } = JSON.parse(readProjectFile('package.json')) as { scripts: Record<string, string> };
  const named = Object.values(scripts).flatMap((script) =>
    [...script.matchAll(/node (\S+\.(?:mjs|ts))/g)].map(([, path]) => path!),
  );
  assert.deepEqual(
    named.filter((path) => !files.includes(path)),
    [],
  );
});

interface Entry {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
