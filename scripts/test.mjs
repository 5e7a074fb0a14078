// Runs every suite of the project, or those named as arguments, under the project's own Node. Prints failures in full and a
// table of suites with their budgets. The last line is `N passed, N failed, N skipped`. Plain JavaScript: see setup.mjs.
import { spawn, spawnSync } from 'node:child_process';
import fs, { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspect, stripVTControlCharacters } from 'node:util';
import { unlistedSkips } from './skips.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** A small build machine has two cores. */
const FILES_AT_ONCE = 2;
/** A suite that takes this many times its budget is considered hung: it is stopped and counts as failed. */
const DEADLINE_FACTOR = 10;

const TYPESCRIPT = 'node_modules/typescript/bin/tsc';
const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const KNIP = 'node_modules/knip/bin/knip.js';

/**
 * A suite has either `files` (patterns, run by node:test) or `commands` (each counts as one test). Budgets are seconds on
 * two cores. The suite `sim` runs different seeds every day; a failure names its seed.
 */
const SUITES = [
  {
    name: 'check',
    budget: 30,
    commands: [
      ['biome', BIOME, 'check', '.'],
      ['types', TYPESCRIPT, '--noEmit'],
      ['unused', KNIP, '--include', 'files,dependencies'],
    ],
  },
  { name: 'tidy', budget: 10, files: ['test/tidy/**/*.test.ts'] },
  { name: 'unit', budget: 150, files: ['src/**/*.test.ts', 'bench/*.test.ts', 'bench/curves/*.test.ts'] },
  { name: 'model', budget: 30, files: ['sim/**/*.test.ts'], except: ['sim/mutants/**'] },
  { name: 'mutants', budget: 120, files: ['sim/mutants/**/*.test.ts'] },
  {
    name: 'integration',
    budget: 600,
    files: ['test/**/*.test.ts'],
    except: ['test/tidy/**', 'test/docs/**', 'test/torture/**'],
  },
  {
    name: 'sim',
    budget: 420,
    commands: [
      ['sim', 'sim/main.ts', '--mix', '--seeds', '1500', '--events', '2000', '--first', String(today() * 1000)],
    ],
  },
  { name: 'docs', budget: 90, files: ['test/docs/**/*.test.ts'] },
];

if (Number(process.versions.node.split('.')[0]) < 24) process.exit(await again());

// Hundreds of processes load the same sources; the cache saves each a third of a second. `npm ci` empties the folder.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/compile');

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(', ')}; there are ${SUITES.map((suite) => suite.name).join(', ')}`);
  process.exit(2);
}
const skips = [];
const results = [];
for (const suite of SUITES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  process.stdout.write(`${suite.name.padEnd(12)} `);
  const start = performance.now();
  const signal = AbortSignal.timeout(suite.budget * DEADLINE_FACTOR * 1000);
  const counts = await (suite.files ? runFiles(suite, signal) : runCommands(suite, signal));
  results.push({ ...suite, ...counts, seconds: (performance.now() - start) / 1000 });
  process.stdout.write(counts.failures.length === 0 ? ' ok\n' : ` FAILED\n\n${counts.failures.join('\n\n')}\n\n`);
}
printTable(results);
for (const skip of skips) console.log(`skipped: ${skip}`);
const total = (what) => results.reduce((sum, result) => sum + result[what], 0);
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exit(total('failed') === 0 ? 0 : 1);

/** Runs this script again under the Node that the project installs. */
async function again() {
  const node = join(root, 'node_modules/.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  if (!existsSync(node)) {
    console.error('the tests need Node 24; `npm test` installs it for this platform, or put one on the PATH');
    return 1;
  }
  const child = spawnSync(node, process.argv.slice(1), { stdio: 'inherit', shell: process.platform === 'win32' });
  return child.status ?? 1;
}

/** Days since 1970. */
function today() {
  return Math.floor(Date.now() / 86_400_000);
}

/** Runs test files, each in its own process. Prints a dot per file. */
function runFiles({ name, files: patterns, except = [] }, signal) {
  const files = fs
    .globSync(patterns, { cwd: root, exclude: except })
    .sort()
    .map((file) => join(root, file));
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (files.length === 0)
    return { ...counts, failed: 1, failures: [`suite ${name} has no file: ${patterns.join(' ')}`] };
  const outputByFile = new Map();
  const failed = [];
  const stream = run({ files, concurrency: FILES_AT_ONCE, signal, cwd: root });
  const note = ({ file, message }) => outputByFile.set(file, (outputByFile.get(file) ?? '') + message);
  stream.on('test:stdout', note);
  stream.on('test:stderr', note);
  stream.on('test:fail', (event) => event.details.error.failureType === 'subtestsFailed' || failed.push(event));
  const skipped = [];
  stream.on('test:pass', ({ name, skip }) => skip && skipped.push({ name, skip }));
  stream.on('test:summary', (event) => {
    if (event.file !== undefined) return process.stdout.write(event.success ? '.' : 'F');
    counts.passed = event.counts.passed;
    counts.failed = event.counts.failed + event.counts.cancelled;
    counts.skipped = event.counts.skipped + event.counts.todo;
  });
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('end', () => {
      for (const { name, skip } of skipped) skips.push(skip === true ? name : `${name}: ${skip}`);
      const unlisted = unlistedSkips(skipped);
      counts.failed += unlisted.length;
      resolve({ ...counts, failures: [...describeFailures(failed, outputByFile), ...unlisted] });
    });
    stream.resume();
  });
}

/** Each failed test with its full error, then what their files printed (seeds, logs). */
function describeFailures(failed, outputByFile) {
  const text = failed.map(({ name, file, line, details: { error } }) => {
    const place = file === undefined ? '' : ` (${relative(root, file)}:${line})`;
    const cause =
      error.cause instanceof Error || typeof error.cause === 'object'
        ? inspect(error.cause, { depth: 6 })
        : error.cause;
    return `✖ ${relativeName(name)}${place}\n${indent(String(cause ?? error.failureType))}`;
  });
  for (const file of new Set(failed.map((event) => event.file))) {
    const output = outputByFile.get(file);
    if (output !== undefined) text.push(`  printed by ${relative(root, file)}:\n${indent(output.trimEnd())}`);
  }
  return text;
}

/** node:test reports a file that failed outside any test under its path. */
function relativeName(name) {
  return name.startsWith(root) ? relative(root, name) : name;
}

function indent(text) {
  return stripVTControlCharacters(text).replaceAll(/^/gm, '  ');
}

/** Runs scripts with this Node, one after another; each counts as one test. */
async function runCommands({ commands }, signal) {
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const [label, script, ...args] of commands) {
    const { status, output } = await runScript(script, args, signal);
    process.stdout.write(status === 0 ? '.' : 'F');
    if (status === 0) {
      counts.passed++;
    } else {
      counts.failed++;
      counts.failures.push(`✖ ${label}: node ${script} ${args.join(' ')} ended with ${status}\n${indent(output)}`);
    }
  }
  return counts;
}

function runScript(script, args, signal) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => (output += `${error.message}\n`));
    child.on('close', (code, killedBy) => resolve({ status: code ?? killedBy, output }));
  });
}

function printTable(rows) {
  const line = (...cells) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(9))).join(''));
  console.log();
  line('suite', 'passed', 'failed', 'skipped', 'seconds', 'budget');
  for (const { name, passed, failed, skipped, seconds, budget } of rows) {
    const over = seconds > budget ? ' over' : '';
    line(name, String(passed), String(failed), String(skipped), seconds.toFixed(1), `${budget}${over}`);
  }
  console.log();
}
