/** Two network namespaces joined by a pair of virtual interfaces, for tests. Needs root and iproute2. */
import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { atEnd } from './cleanup.ts';

/** Named after this process, so that test files do not collide. */
export const NAMESPACES: readonly [string, string] = [`entgl-${process.pid}-a`, `entgl-${process.pid}-b`];

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The words to put before a command so that it runs in a namespace. */
export function inNamespace(name: string): string[] {
  return ['ip', 'netns', 'exec', name];
}

/** Why namespaces cannot be made here; undefined if they can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `entgl-${process.pid}-p`;
  try {
    ip('netns', 'add', probe);
    ip('netns', 'del', probe);
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made: ${(error as Error).message.trim()}`;
  }
}

/** Makes both namespaces, linked and up, without IPv4 addresses. They are removed after the test. */
export function addNamespaces(t: TestContext): void {
  atEnd(t, () => {
    for (const name of NAMESPACES) ip('netns', 'del', name);
  });
  for (const name of NAMESPACES) ip('netns', 'add', name);
  ip('-n', NAMESPACES[0], 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0', 'netns', NAMESPACES[1]);
  for (const name of NAMESPACES) {
    ip('-n', name, 'link', 'set', 'lo', 'up');
    ip('-n', name, 'link', 'set', 'veth0', 'up');
  }
}
