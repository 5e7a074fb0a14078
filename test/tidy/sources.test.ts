// Goal: the source stays deterministic, short and free of reminders. Method: patterns over the code, with comments and
// strings blanked. Exemptions are listed with a reason in exemptions.ts; one that no longer applies fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AMBIENT, LONG_FUNCTIONS, SLEEPS } from './exemptions.ts';
import { codeOf, isTest, occurrences, type SourceFile, typescriptFiles } from './sources.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

const sources = typescriptFiles('src');
const everything = typescriptFiles('src', 'test', 'sim', 'bench');

const AMBIENT_CALL =
  /\b(Date\b|Math\.random|setTimeout|setInterval|setImmediate|performance\.|randomUUID|randomBytes|getRandomValues)|(?<![.\w'-])(process|console)\b\s*\./;

test('clock, random, timers, process and console are used through their ports outside src/node', () => {
  const files = sources.filter(({ path }) => !isTest(path) && !path.startsWith('src/node/'));
  const found = new Map(files.map((file) => [file.path, occurrences(file, AMBIENT_CALL)] as const));
  const wrong = [...found].filter(([path]) => !(path in AMBIENT)).flatMap(([, places]) => places);
  assert.deepEqual(wrong, []);
  const stale = Object.keys(AMBIENT).filter((path) => (found.get(path) ?? []).length === 0);
  assert.deepEqual(stale, [], 'exemptions that no longer apply');
});

test('no statement has a bare parameter as its limit, which would make SQLite prepare it anew on each call', () => {
  const wrong = sources.filter((file) => !isTest(file.path) && /\bLIMIT \?/.test(file.text));
  assert.deepEqual(
    wrong.map(({ path }) => path),
    [],
    'say LIMITED (src/store/sqlite/tables/limited.ts)',
  );
});

test('tests do not sleep', () => {
  const pattern = /await (?:sleep|setTimeout)\(|setTimeout\(resolve/;
  const found = sources
    .filter(({ path }) => isTest(path))
    .map((file) => ({ file, places: occurrences(file, pattern) }));
  assert.deepEqual(
    found.filter(({ file }) => !(file.path in SLEEPS)).flatMap(({ places }) => places),
    [],
  );
  const sleepers = found.filter(({ places }) => places.length > 0).map(({ file }) => file.path);
  assert.deepEqual(
    Object.keys(SLEEPS).filter((path) => !sleepers.includes(path)),
    [],
    'exemptions that no longer apply',
  );
});

test('a file over 400 lines gives the reason on its first line', () => {
  const long = everything.filter(({ text }) => text.split('\n').length > FILE_LINES_MAX + 1);
  const silent = long.filter(({ text }) => !/^\/\/ Over 400 lines: \S/.test(text));
  assert.deepEqual(
    silent.map(({ path, text }) => `${path}: ${text.split('\n').length} lines`),
    [],
  );
});

test('a function over 70 lines is listed with a reason, and none is listed that is not', () => {
  const long = sources.filter(({ path }) => !isTest(path)).flatMap(longFunctions);
  assert.deepEqual(
    long.filter(({ name }) => !(name in LONG_FUNCTIONS)),
    [],
  );
  const names = new Set(long.map(({ name }) => name));
  assert.deepEqual(
    Object.keys(LONG_FUNCTIONS).filter((name) => !names.has(name)),
    [],
    'exemptions that no longer apply',
  );
});

test('nothing is of type any', () => {
  assert.deepEqual(
    everything.flatMap((file) => occurrences(file, /(?:[:<|&,(]\s*|\bas )any\b(?!\()/)),
    [],
  );
});

test('no comment is a reminder of work to do', () => {
  const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
  assert.deepEqual(
    everything.flatMap((file) => occurrences(file, marks, file.text)),
    [],
  );
});

test('no test is marked to run alone', () => {
  assert.deepEqual(
    everything.flatMap((file) => occurrences(file, /\b(?:test|it|describe|suite)\.only\(|\bonly: true/)),
    [],
  );
});

test('nothing is exported by default, and no enum or namespace is used', () => {
  const pattern = /^export default\b|^\s*(?:export )?(?:const )?enum \w+ \{|^\s*(?:export )?(?:declare )?namespace \w/;
  assert.deepEqual(
    everything.flatMap((file) => occurrences(file, pattern)),
    [],
  );
});

interface LongFunction {
  readonly name: string;
  readonly lines: number;
}

const NOT_A_FUNCTION = /^\s*(?:\} )?(?:if|for|while|switch|catch|else|do|try|with)\b/;
const OPENS_FUNCTION = /(?:\)(?:: [^=]*)?|=>) \{$/;

/** Finds functions by the formatter's layout: opened at the end of a line, closed at the same indentation. */
function longFunctions(file: SourceFile): LongFunction[] {
  const lines = codeOf(file.text).split('\n');
  return lines.flatMap((line, start) => {
    if (!OPENS_FUNCTION.test(line) || NOT_A_FUNCTION.test(line)) return [];
    const indent = line.match(/^\s*/)?.[0] ?? '';
    const length = lines.slice(start + 1).findIndex((later) => later.startsWith(`${indent}}`)) + 2;
    return length > FUNCTION_LINES_MAX ? [{ name: `${file.path}#${nameAt(lines, start, indent)}`, lines: length }] : [];
  });
}

/** The name on the line, or on the line where the signature begins. */
function nameAt(lines: readonly string[], start: number, indent: string): string {
  let first = start;
  if (/^\s*\)/.test(lines[start] ?? '')) {
    do first--;
    while (first > 0 && !(lines[first]?.startsWith(indent) && /^\S/.test(lines[first]?.slice(indent.length) ?? '')));
  }
  return (
    lines[first]?.match(/(?:function\*?|const|let|get|set|async|static)?\s*(#?\w+)\s*(?:[<(=:]|$)/)?.[1] ??
    `line ${first + 1}`
  );
}
