/**
 * A local network in software. Hosts are network namespaces with one interface each, all connected to one Ethernet switch
 * that runs here and delays or drops frames by direction. Programs on a host have real sockets, and the kernel handles loss
 * as usual. Needs root, iproute2, /dev/net/tun and Perl.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SeededRandom } from '../../src/testing/index.ts';
import { inNamespace, ip, whyNoNamespaces } from '../integration/namespaces.ts';

const RELAY = fileURLToPath(new URL('tap-relay.pl', import.meta.url));
const INTERFACE = 'tap0';
const MAC_BYTES = 6;
const LENGTH_BYTES = 2;
/** Bytes that may wait for a host; the switch drops what exceeds them. */
const QUEUE_BYTES_MAX = 256 * 1024;

/** What happens to frames on their way from one host to another. */
export interface Way {
  readonly isOpen: boolean;
  /** The share of frames that is lost, 0 to 1. */
  readonly loss: number;
  /** The least delay, and the most that chance adds to it, ms. Frames may overtake each other. */
  readonly delayMs: number;
  readonly jitterMs: number;
}

export const GOOD_WAY: Way = { isOpen: true, loss: 0, delayMs: 0, jitterMs: 0 };

/** Why there can be no such network here; undefined if there can. */
export function whyNoLan(): string | undefined {
  const reason = whyNoNamespaces();
  if (reason !== undefined) return reason;
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    execFileSync('perl', ['-e', '1']);
    return undefined;
  } catch (error) {
    return `a network in software needs /dev/net/tun and Perl: ${(error as Error).message.split('\n')[0]}`;
  }
}

interface Host {
  readonly namespace: string;
  readonly relay: ChildProcess;
}

export class Lan {
  readonly #hosts: Host[] = [];
  readonly #ways: Way[][] = [];
  readonly #hostByMac = new Map<string, number>();
  readonly #random: SeededRandom;
  frames = 0;
  lost = 0;

  private constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** `size` hosts with addresses of one subnet and no default route. */
  static async open(size: number, random: SeededRandom): Promise<Lan> {
    const lan = new Lan(random);
    try {
      for (let i = 0; i < size; i++) await lan.#addHost(i, size);
      return lan;
    } catch (error) {
      await lan.close();
      throw error;
    }
  }

  /** The words to put before a command so that it runs on a host. */
  wrapper(host: number): string[] {
    return inNamespace(this.#hosts[host]!.namespace);
  }

  setWay(from: number, to: number, way: Way): void {
    this.#ways[from]![to] = way;
  }

  way(from: number, to: number): Way {
    return this.#ways[from]![to]!;
  }

  setAll(way: Way): void {
    for (const row of this.#ways) row.fill(way);
  }

  async close(): Promise<void> {
    for (const { relay, namespace } of this.#hosts.splice(0)) {
      const isOver = relay.exitCode !== null || relay.signalCode !== null;
      const exited = isOver ? undefined : once(relay, 'exit');
      relay.kill('SIGKILL');
      await exited;
      ip('netns', 'del', namespace);
    }
  }

  async #addHost(index: number, size: number): Promise<void> {
    const namespace = `entgl-${process.pid}-h${index}`;
    ip('netns', 'add', namespace);
    const [command, ...args] = inNamespace(namespace) as [string, ...string[]];
    const relay = spawn(command, [...args, 'perl', RELAY, INTERFACE], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#hosts.push({ namespace, relay });
    this.#ways.push(Array.from({ length: size }, () => GOOD_WAY));
    relay.stdin.on('error', ignore);
    const ready = new Promise<void>((resolve, reject) => {
      relay.once('exit', (code) => reject(new Error(`the wire of host ${index} broke: exit code ${code}`)));
      this.#readFrames(relay, (frame) => (frame.length === 0 ? resolve() : this.#switch(index, frame)));
    });
    await ready;
    ip('-n', namespace, 'addr', 'add', `10.79.0.${index + 1}/24`, 'dev', INTERFACE);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'set', INTERFACE, 'up');
  }

  #readFrames(relay: ChildProcess, deliver: (frame: Buffer) => void): void {
    let waiting: Buffer = Buffer.alloc(0);
    relay.stdout!.on('data', (bytes: Buffer) => {
      waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
      while (waiting.length >= LENGTH_BYTES) {
        const end = LENGTH_BYTES + waiting.readUInt16BE();
        if (waiting.length < end) return;
        deliver(waiting.subarray(LENGTH_BYTES, end));
        waiting = waiting.subarray(end);
      }
    });
  }

  #switch(from: number, frame: Buffer): void {
    const [to, source] = [frame.toString('hex', 0, MAC_BYTES), frame.toString('hex', MAC_BYTES, 2 * MAC_BYTES)];
    this.#hostByMac.set(source, from);
    const isGroup = (frame[0]! & 1) === 1;
    const known = isGroup ? undefined : this.#hostByMac.get(to);
    const targets = known === undefined ? this.#hosts.keys() : [known];
    for (const target of targets) if (target !== from) this.#carry(from, target, frame);
  }

  #carry(from: number, to: number, frame: Buffer): void {
    const { isOpen, loss, delayMs, jitterMs } = this.#ways[from]![to]!;
    this.frames++;
    if (!isOpen || this.#random.chance(loss)) {
      this.lost++;
      return;
    }
    const ms = delayMs + jitterMs * this.#random.next();
    if (ms === 0) this.#put(to, frame);
    else setTimeout(() => this.#put(to, frame), ms);
  }

  #put(to: number, frame: Buffer): void {
    const wire = this.#hosts[to]?.relay.stdin;
    if (wire == null || wire.writableLength > QUEUE_BYTES_MAX) {
      this.lost++;
      return;
    }
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(frame.length);
    wire.write(Buffer.concat([length, frame]));
  }
}

function ignore(): void {
  // The host of this wire is gone.
}
