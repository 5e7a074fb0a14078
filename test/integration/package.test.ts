/**
 * Goal: the published package works as the sources do, and costs little to import. Method: the package is packed, unpacked
 * and used by programs that find nothing but its files and its dependencies.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { runProgram } from '../docs/run-program.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MAIN = join('node_modules', 'entgldb', manifest.bin.entgldb);
/** A command that takes this long hangs. */
const DEADLINE_MS = 300_000;
/** How much `import 'entgldb'` may load: files of the package and its dependencies, and their bytes. */
const IMPORTED_FILES_MAX = 20;
const IMPORTED_BYTES_MAX = 150_000;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entgldb-package-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@types'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), join(modules, name), 'junction');
  }
  await succeeds('npm', ['pack', '--silent', '--pack-destination', folder], ROOT);
  await succeeds('tar', ['-xf', `entgldb-${manifest.version}.tgz`]);
  await succeeds(process.execPath, ['-e', "require('node:fs').renameSync('package', 'node_modules/entgldb')"]);
});
after(() => rm(folder, { recursive: true }));

/** Runs a command that must succeed. Resolves with what it printed. */
async function succeeds(command: string, args: readonly string[], cwd = folder): Promise<string> {
  const { status, output } = await runProgram(command, args, { cwd, deadlineMs: DEADLINE_MS });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${output}`);
  return output;
}

/** Runs a program next to the package, as a user would. */
async function runs(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return succeeds(process.execPath, [name]);
}

test('importing it loads few files, and none of the engine', async () => {
  const out = await runs(
    'imports.js',
    `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({
      load(url, context, next) {
        const result = next(url, context);
        if (url.startsWith('file:')) loaded.push({ url, bytes: result.source?.length ?? 0 });
        return result;
      },
    });
    await import('entgldb');
    console.log(JSON.stringify(loaded));`,
  );
  const loaded = JSON.parse(out) as { readonly url: string; readonly bytes: number }[];
  const bytes = loaded.reduce((sum, file) => sum + file.bytes, 0);
  assert.ok(loaded.length <= IMPORTED_FILES_MAX && bytes <= IMPORTED_BYTES_MAX, `${bytes} bytes in\n${out}`);
});

test('two databases sync, and an integrity check runs in its thread', async () => {
  const out = await runs(
    'sync.js',
    `import { openDatabase } from 'entgldb';
    const open = (name, knownPeers) => openDatabase({
      nodeId: name,
      dataDirectory: name,
      network: { tcpPort: 0, localhostOnly: true, enableDiscovery: false, knownPeers },
    });
    const first = await open('first', []);
    await first.collection('till').put('1', { sold: 3 });
    const second = await open('second', [{ address: \`127.0.0.1:\${first.address().tcp.port}\` }]);
    for await (const found of second.collection('till').liveDocument('1')) if (found !== null) break;
    await second.checkIntegrity();
    console.log(JSON.stringify(await second.collection('till').get('1')), second.constructor.name);
    await Promise.all([first.close(), second.close()]);`,
  );
  assert.equal(out, '{"sold":3} NodeDatabase\n');
});

test('the command works, including its demo and the processes that it starts', async () => {
  assert.equal(await succeeds(process.execPath, [MAIN, '--version']), `${manifest.version}\n`);
  const report = JSON.parse(await succeeds(process.execPath, [MAIN, 'demo', '--places', '1000', '--json']));
  assert.equal(report.isEqual, true);
});

test('its declarations compile with nothing else installed', async () => {
  await writeFile(
    join(folder, 'types.ts'),
    `import { type NodeDatabase, openDatabase } from 'entgldb';
    import { createManualClock } from 'entgldb/testing';
    export const database: Promise<NodeDatabase> = openDatabase();
    export const clock = createManualClock();`,
  );
  const options = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--noEmit', '--types', 'node'];
  await succeeds(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'types.ts']);
});

test('the licence of every package compiled into it is included', async () => {
  const maps = globSync('node_modules/entgldb/dist/**/*.map', { cwd: folder });
  const sources = maps.flatMap((map) => JSON.parse(readFileSync(join(folder, map), 'utf8')).sources as string[]);
  const names = sources.flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  const notice = await readFile(join(folder, 'node_modules', 'entgldb', 'LICENSE-THIRD-PARTY'), 'utf8');
  const named = [...notice.matchAll(/^(\S+), https:/gm)].map(([, name]) => name);
  assert.deepEqual([...new Set(names)].sort(), named.sort());
});

test('a bundle without the worker file still keeps the log short and answers long queries, and warns once', async () => {
  const thread = join(folder, 'node_modules', 'entgldb', 'dist', 'store-worker.js');
  await rename(thread, `${thread}.away`);
  const out = await runs(
    'threadless.js',
    `import { statSync } from 'node:fs';
    import { openDatabase } from 'entgldb';
    const said = [];
    const none = () => {};
    const logger = { trace: none, debug: none, info: none, error: none, fatal: none, child: () => logger,
      warn: ({ err }, text) => said.push(text + ': ' + err?.message) };
    const db = await openDatabase({ network: false, persistence: { databasePath: 'threadless.db' }, logger });
    const text = 'x'.repeat(10_000);
    for (let i = 0; i < 100; i++)
      await db.collection('c').putMany(Array.from({ length: 100 }, (_, j) => [\`\${i}-\${j}\`, { text }]));
    const bytes = statSync('threadless.db-wal').size;
    const counts = [];
    for (let i = 0; i < 3; i++) counts.push(await db.collection('c').count({ text: { $startsWith: 'x' } }));
    const backup = await db.backup('threadless-copy.db').catch(({ reason, message }) => \`\${reason}: \${message}\`);
    await db.close();
    console.log(JSON.stringify({ bytes, counts, said, backup }));`,
  );
  await rename(`${thread}.away`, thread);
  const { bytes, counts, said, backup } = JSON.parse(out) as {
    readonly bytes: number;
    readonly counts: readonly number[];
    readonly said: readonly string[];
    readonly backup: string;
  };
  assert.ok(bytes < 64 * 1024 * 1024, `${bytes} bytes of log after 100 MB`);
  assert.deepEqual(counts, [10_000, 10_000, 10_000]);
  assert.match(
    backup,
    /^IO_FAILED: .* is missing; keep the package entgldb out of the bundle, or copy its dist\/store-worker\*\.js beside/,
  );
  assert.equal(said.length, 2, out);
  assert.match(said[0]!, /the thread that shortens the log failed: the file of the thread for .* is missing/);
  assert.match(
    said[1]!,
    /a query could not be answered by a thread; it holds up the event loop: the file of the thread for .* is missing/,
  );
});
