import { connect, createServer, type Server, type Socket } from 'node:net';
import { BATCH } from '../documents.ts';
import type { RawChange, RawStore, ReceivingStore } from './raw-store.ts';

/**
 * The least that two raw stores need to sync over plain TCP. The receiver sends its position in a line; the sender answers
 * with batches, one line of JSON each, and then with every change as it is written.
 */
export interface RawSender {
  readonly port: number;
  /** Sends what was written since to all connected receivers. */
  push(): void;
  close(): Promise<void>;
}

export async function serveRaw(store: RawStore): Promise<RawSender> {
  const positions = new Map<Socket, number>();
  const sendTo = (socket: Socket) => {
    for (;;) {
      const position = positions.get(socket) ?? 0;
      const changes = store.since(position, BATCH);
      if (changes.length === 0) return;
      positions.set(socket, changes.at(-1)!.position);
      if (!socket.write(`${JSON.stringify(changes)}\n`)) return void socket.once('drain', () => sendTo(socket));
    }
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => positions.delete(socket));
    onLines(socket, (line) => {
      positions.set(socket, Number(line));
      sendTo(socket);
    });
  });
  const port = await listen(server);
  return {
    port,
    push: () => {
      for (const socket of positions.keys()) if (!socket.writableNeedDrain) sendTo(socket);
    },
    close: async () => {
      for (const socket of positions.keys()) socket.destroy();
      server.close();
    },
  };
}

export interface RawReceiver {
  /** Bytes over the connection, both ways. */
  bytes(): number;
  close(): void;
}

/** Receives into the store, and calls `onApplied` after each stored batch. */
export function receiveRaw(
  store: RawStore & ReceivingStore,
  port: number,
  onApplied: (changes: readonly RawChange[]) => void,
): RawReceiver {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  onLines(socket, (line) => {
    const changes = JSON.parse(line) as RawChange[];
    store.receive(changes);
    onApplied(changes);
  });
  socket.write(`${store.position()}\n`);
  return { bytes: () => socket.bytesRead + socket.bytesWritten, close: () => void socket.destroy() };
}

function onLines(socket: Socket, onLine: (line: string) => void): void {
  let parts: Buffer[] = [];
  socket.on('data', (chunk) => {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      parts = [];
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    if (rest.length > 0) parts.push(rest);
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
