/** For the tests of the TLS transport: nodes on real sockets over loopback, and members that break the rules. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Logger } from '../../core/logging/index.ts';
import { createManualClock, createSeededRandom, type ManualClock } from '../../testing/index.ts';
import type { Channel, Listener } from '../index.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, makeProof } from './device-proof.ts';
import { frameHeader } from './framing.ts';
import {
  type ClusterKey,
  createDeviceKey,
  createTlsTransport,
  type TlsTransport,
  type TlsTransportOptions,
} from './index.ts';
import { clientOptions } from './tls-options.ts';

export const HOST = '127.0.0.1';
export const LIMITS = { frameBytesMax: 300_000, channelBufferBytesMax: 1_000_000, channelHighWaterBytes: 200_000 };

/** A key like one from `deriveClusterKey`, without the 70 ms. */
function keyNamed(name: string): ClusterKey {
  const random = createSeededRandom([...name].reduce((sum, char) => sum * 31 + char.charCodeAt(0), 7));
  return {
    id: Buffer.from(random.bytes(8)).toString('hex'),
    psk: random.bytes(32),
    beacon: random.bytes(32),
    loopbackOnly: false,
  };
}

export const CLUSTER = keyNamed('cluster');
export const OTHER = keyNamed('other');
export const deviceA = createDeviceKey(createSeededRandom(1));
export const deviceB = createDeviceKey(createSeededRandom(2));

/** Lets sockets work for one round of the event loop. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets sockets work until the condition holds. The generous bound only keeps a failing test from hanging. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not come to pass within a minute');
    await turn();
  }
}

/** Unlike `once`, does not reject on an error before the close. */
export function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

interface Line {
  readonly level: string;
  readonly fields: Record<string, unknown>;
}

function recordingLogger(lines: Line[]): Logger {
  const at = (level: string) => (fields: object) =>
    void lines.push({ level, fields: fields as Record<string, unknown> });
  const logger: Logger = {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: () => logger,
  };
  return logger;
}

/** A listening node B and everything that it has received. */
export interface TestNode {
  readonly transport: TlsTransport;
  readonly listener: Listener;
  readonly clock: ManualClock;
  readonly channels: Channel[];
  readonly closings: string[];
  readonly frames: Uint8Array[];
  readonly lines: Line[];
}

export const opened: { close(): unknown }[] = [];
/** Closes everything that the tests of a file have opened. */
export async function closeOpened(): Promise<void> {
  for (const thing of opened) await thing.close();
}

export function transportOf(options: Partial<TlsTransportOptions> = {}): TlsTransport {
  const transport = createTlsTransport({
    keys: [CLUSTER],
    deviceKey: deviceA,
    clock: createManualClock(),
    limits: LIMITS,
    ...options,
  });
  opened.push(transport);
  return transport;
}

export async function startNode(options: Partial<TlsTransportOptions> = {}): Promise<TestNode> {
  const clock = createManualClock();
  const lines: Line[] = [];
  const transport = transportOf({ deviceKey: deviceB, clock, logger: recordingLogger(lines), ...options });
  const node = {
    transport,
    clock,
    lines,
    channels: [] as Channel[],
    closings: [] as string[],
    frames: [] as Uint8Array[],
  };
  const listener = await transport.listen({
    host: HOST,
    port: 0,
    onChannel: (channel) => {
      node.channels.push(channel);
      channel.onFrame = (frame) => node.frames.push(frame);
      channel.onClose = (reason) => node.closings.push(reason);
    },
  });
  return { ...node, listener };
}

/** Asserts that a member still gets in, whatever a stranger did before. */
export async function assertWorks(node: TestNode): Promise<void> {
  const before = node.channels.length;
  const channel = await transportOf().dial(node.listener.address);
  channel.send(Uint8Array.of(42));
  await until(() => node.frames.at(-1)?.[0] === 42);
  assert.equal(node.channels.length, before + 1);
  channel.close();
}

export function rawSocket(node: TestNode): Socket {
  const socket = connect({ host: HOST, port: node.listener.address.port });
  socket.on('error', () => {});
  return socket;
}

export function refusals(node: TestNode): string[] {
  return node.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields.why));
}

/** TLS as a member, but without the proof: someone who holds the token but breaks the protocol. */
export async function memberSocket(node: TestNode, raw = rawSocket(node)): Promise<TLSSocket> {
  const socket = connectTls({ ...clientOptions(CLUSTER), socket: raw });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** A member that has proven its device key and then writes what it likes. */
export async function connectTlsMember(
  node: TestNode,
  raw = rawSocket(node),
): Promise<{ socket: TLSSocket; channel: Channel }> {
  const before = node.channels.length;
  const socket = await memberSocket(node, raw);
  const proof = makeProof(
    deviceA,
    'dialler',
    socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)),
  );
  socket.write(Buffer.concat([frameHeader(proof.length), proof]));
  await until(() => node.channels.length > before);
  return { socket, channel: node.channels.at(-1)! };
}
