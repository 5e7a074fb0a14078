/** A TCP proxy on loopback that disturbs connections as networks do, for tests. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { atEnd } from './cleanup.ts';

/** The end that dialled, or the one that was dialled. */
export type Side = 'dialler' | 'listener';

/**
 * What happens to bytes.
 *
 * - `stall`: bytes towards these sides wait; if both are named, new connections wait too.
 * - `vanish`: bytes are gone, and so is the connection for good, as when a router forgets it.
 * - `slow`: only this many bytes per second pass.
 * - `corrupt`: one byte of each chunk is changed.
 * - `refuse`: new connections are reset at once.
 */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'stall'; readonly towards: readonly Side[] }
  | { readonly kind: 'vanish' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'refuse' };

interface Pair {
  readonly sockets: Readonly<Record<Side, Socket>>;
  /** What is sent into it is never delivered. Once nothing vanishes any more, an end that sends gets a reset. */
  isForgotten: boolean;
  /** Not even a reset: the machine of the other end has no power. */
  isUnanswered: boolean;
}

const SLICE_MS = 10;
const OTHER: Readonly<Record<Side, Side>> = { dialler: 'listener', listener: 'dialler' };

export class FaultProxy {
  #fault: Fault = { kind: 'none' };
  #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  /** Forwards to a port of this machine; ends with the test. */
  static async open(t: TestContext, targetPort: number): Promise<FaultProxy> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new FaultProxy(server, targetPort);
    atEnd(t, () => proxy.close());
    return proxy;
  }

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** `host:port` to dial. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** From now on new connections go to another port, as after a peer has moved. */
  moveTo(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** Replaces the current fault. A connection that vanished does not come back: from now on, an end that sends gets a reset. */
  set(fault: Fault): void {
    const before = this.#fault;
    this.#fault = fault;
    for (const pair of this.#pairs) {
      if (fault.kind === 'vanish') pair.isForgotten = true;
      if (before.kind === 'vanish' && fault.kind !== 'vanish') this.#answerWithReset(pair);
      this.#resume(pair);
    }
  }

  /** Resets all connections, or only one end of each: then the other end does not hear of it. */
  reset(side?: Side): void {
    for (const pair of this.#pairs) {
      if (side !== undefined) pair.isForgotten = true;
      for (const each of side === undefined ? (['dialler', 'listener'] as const) : [side]) reset(pair.sockets[each]);
    }
  }

  /** Ends all connections as a power cut at one end does: that end starts anew, and what the other end sends is never answered. */
  cutPower(side: Side): void {
    for (const pair of this.#pairs) pair.isUnanswered = true;
    this.reset(side);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    // Not a reset, which waits until unsent bytes have left: an end that does not read would keep the test's process alive.
    for (const { sockets } of this.#pairs) for (const socket of Object.values(sockets)) socket.destroy();
    await closed;
  }

  #accept(dialler: Socket): void {
    if (this.#fault.kind === 'refuse') {
      reset(dialler.on('error', ignore));
      return;
    }
    const listener = connect({ host: '127.0.0.1', port: this.#targetPort });
    const pair: Pair = {
      sockets: { dialler, listener },
      isForgotten: this.#fault.kind === 'vanish',
      isUnanswered: false,
    };
    this.#pairs.add(pair);
    for (const from of ['dialler', 'listener'] as const) {
      const socket = pair.sockets[from].setNoDelay(true);
      socket.on('error', ignore);
      socket.on('data', (bytes) => this.#forward(pair, from, bytes));
      socket.on('end', () => this.#ended(pair, from));
      socket.on('close', () => this.#closed(pair, from));
    }
    this.#resume(pair);
  }

  #forward(pair: Pair, from: Side, bytes: Buffer): void {
    const to = pair.sockets[OTHER[from]];
    if (pair.isForgotten) {
      if (this.#fault.kind !== 'vanish' && !pair.isUnanswered) reset(pair.sockets[from]);
      return;
    }
    if (this.#fault.kind === 'corrupt') bytes[Math.floor(bytes.length / 2)]! ^= 0x40;
    if (this.#fault.kind !== 'slow') {
      this.#write(pair, from, to, bytes);
      return;
    }
    pair.sockets[from].pause();
    const slice = Math.max(1, Math.floor((this.#fault.bytesPerSecond * SLICE_MS) / 1000));
    to.write(bytes.subarray(0, slice));
    if (bytes.length > slice) pair.sockets[from].unshift(bytes.subarray(slice));
    setTimeout(() => this.#resume(pair), SLICE_MS);
  }

  #write(pair: Pair, from: Side, to: Socket, bytes: Buffer): void {
    if (to.write(bytes)) return;
    pair.sockets[from].pause();
    to.once('drain', () => this.#resume(pair));
  }

  /** Reads again from each side that may send. */
  #resume(pair: Pair): void {
    for (const from of ['dialler', 'listener'] as const) {
      const isStalled = this.#fault.kind === 'stall' && this.#fault.towards.includes(OTHER[from]);
      if (isStalled) pair.sockets[from].pause();
      else pair.sockets[from].resume();
    }
  }

  /** When the path is back, TCP repeats what had vanished, and a host that knows nothing of the connection answers with a reset. */
  #answerWithReset(pair: Pair): void {
    if (pair.isUnanswered) return;
    for (const socket of Object.values(pair.sockets)) if (socket.bytesRead > 0) reset(socket);
  }

  #ended(pair: Pair, from: Side): void {
    if (!pair.isForgotten) pair.sockets[OTHER[from]].end();
  }

  #closed(pair: Pair, from: Side): void {
    const other = pair.sockets[OTHER[from]];
    if (other.destroyed) this.#pairs.delete(pair);
    else if (!pair.isForgotten) reset(other);
  }
}

/**
 * One that is just being ended is only closed: Node would fail to reset it (EINVAL), never close it, and then spin for ever when the
 * process is to end.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function ignore(): void {
  // The tests look at what the two ends make of it.
}
