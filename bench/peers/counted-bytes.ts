import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes over all connections of a server, both ways, since this was called. */
export function countedBytes(server: Server): () => number {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  return () => sockets.reduce((bytes, { bytesRead, bytesWritten }) => bytes + bytesRead + bytesWritten, 0);
}
