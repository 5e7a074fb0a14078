import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Returns a function that counts the bytes, both ways, of all connections that the server accepts from now on. */
export function countedBytes(server: Server): () => number {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  return () => sockets.reduce((bytes, { bytesRead, bytesWritten }) => bytes + bytesRead + bytesWritten, 0);
}
