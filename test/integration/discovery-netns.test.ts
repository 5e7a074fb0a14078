/**
 * Goal: two hosts on one link find each other without a default route, server or configuration, over IPv4 and IPv6.
 * Method: two network namespaces joined by a pair of virtual interfaces, with one real process in each. Needs root and
 * iproute2; without them the test is skipped with a reason. Namespaces are named after this process and removed afterwards.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { atEnd } from './cleanup.ts';
import { addNamespaces, ip, NAMESPACES, whyNoNamespaces } from './namespaces.ts';
import { HUNG_MS } from './node-process.ts';
import { nowMs, runningMs } from './running-time.ts';

const NODE_SCRIPT = fileURLToPath(new URL('discovery-node.ts', import.meta.url));

interface Line {
  readonly kind: string;
  readonly peer?: { readonly deviceKey: string; readonly addresses: readonly { readonly host: string }[] };
  readonly interfaces?: readonly { readonly target: string | null; readonly state: string }[];
}

/** Runs a node in a namespace. `until` resolves with the first line, past or future, for which the claim holds. */
function runNode(t: TestContext, namespace: string, name: string) {
  const node: ChildProcess = spawn('ip', ['netns', 'exec', namespace, process.execPath, NODE_SCRIPT, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: node.stdout! }).on('line', (text) => {
    lines.push(JSON.parse(text) as Line);
    for (const check of waiting) check();
  });
  const ended = new Promise((resolve) => node.once('exit', resolve));
  atEnd(t, async () => {
    node.stdin!.end();
    await ended;
  });
  const until = (claim: (line: Line) => boolean): Promise<Line> =>
    new Promise((resolve) => {
      const check = (): void => {
        const line = lines.find(claim);
        if (line === undefined) return;
        waiting.delete(check);
        resolve(line);
      };
      waiting.add(check);
      check();
    });
  return { until };
}

const reason = whyNoNamespaces();
if (reason !== undefined) console.log(`SKIPPED: ${reason}`);

test('two namespaces without a default route find each other', {
  skip: reason ?? false,
  timeout: HUNG_MS,
}, async (t) => {
  addNamespaces(t);
  ip('-n', NAMESPACES[0], 'addr', 'add', '10.77.0.1/24', 'dev', 'veth0');
  ip('-n', NAMESPACES[1], 'addr', 'add', '10.77.0.2/24', 'dev', 'veth0');
  for (const name of NAMESPACES) assert.doesNotMatch(ip('-n', name, 'route'), /default/);
  const a = runNode(t, NAMESPACES[0], 'a');
  const b = runNode(t, NAMESPACES[1], 'b');
  await Promise.all([a.until((line) => line.kind === 'started'), b.until((line) => line.kind === 'started')]);
  const startedAt = nowMs();
  const knows = (key: string, host: string) => (line: Line) =>
    line.peer?.deviceKey === key && line.peer.addresses.some((address) => address.host === host);
  await Promise.all([a.until(knows('b', '10.77.0.2')), b.until(knows('a', '10.77.0.1'))]);
  const ms = runningMs(startedAt);
  t.diagnostic(`found after ${Math.round(ms)} ms`);
  assert.ok(ms < 15_000, 'the goal is 3 s; a busy machine gets five times that');
});

test('an address that is added later is noticed and used for beacons', {
  skip: reason ?? false,
  timeout: HUNG_MS,
}, async (t) => {
  addNamespaces(t);
  const a = runNode(t, NAMESPACES[0], 'a');
  const b = runNode(t, NAMESPACES[1], 'b');
  await Promise.all([a.until((line) => line.kind === 'started'), b.until((line) => line.kind === 'started')]);
  ip('-n', NAMESPACES[0], 'addr', 'add', '10.77.0.1/24', 'dev', 'veth0');
  ip('-n', NAMESPACES[1], 'addr', 'add', '10.77.0.2/24', 'dev', 'veth0');
  await a.until((line) => line.kind === 'interfaces-changed');
  const knows = (key: string, host: string) => (line: Line) =>
    line.peer?.deviceKey === key && line.peer.addresses.some((address) => address.host === host);
  await Promise.all([a.until(knows('b', '10.77.0.2')), b.until(knows('a', '10.77.0.1'))]);
});

test('a link without any IPv4 address is enough: IPv6 multicast', {
  skip: reason ?? false,
  timeout: HUNG_MS,
}, async (t) => {
  addNamespaces(t);
  const a = runNode(t, NAMESPACES[0], 'a');
  const b = runNode(t, NAMESPACES[1], 'b');
  const knows = (key: string) => (line: Line) =>
    line.peer?.deviceKey === key && line.peer.addresses.every((address) => /^fe80:.*%veth0$/.test(address.host));
  await Promise.all([a.until(knows('b')), b.until(knows('a'))]);
});

test('an interface that was replaced by one of the same name and address still receives IPv6 multicast', {
  skip: reason ?? false,
  timeout: HUNG_MS,
}, async (t) => {
  addNamespaces(t);
  const plug = (): void => {
    for (const name of NAMESPACES) ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0');
    ip('-n', NAMESPACES[0], 'link', 'del', 'veth0');
    const ends = NAMESPACES.map((name, i) => ['name', 'veth0', 'address', `02:00:00:00:00:0${i + 1}`, 'netns', name]);
    ip('link', 'add', ...ends[0]!, 'type', 'veth', 'peer', ...ends[1]!);
    for (const name of NAMESPACES) ip('-n', name, 'link', 'set', 'veth0', 'up');
  };
  plug();
  const a = runNode(t, NAMESPACES[0], 'a');
  const { interfaces } = await a.until((line) => line.kind === 'started');
  assert.ok(interfaces!.some(({ target }) => target?.endsWith('%veth0')));
  plug();
  const b = runNode(t, NAMESPACES[1], 'b');
  await b.until((line) => line.kind === 'started');
  await a.until((line) => line.peer?.deviceKey === 'b');
});
