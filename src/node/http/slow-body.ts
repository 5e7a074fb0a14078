import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock/index.ts';

/** In each such window a body under way must either bring a minimum of bytes or end. */
const WINDOW_MS = 30_000;
const BYTES_MIN = 2048 * 30;

/** Cuts the connection of a client that sends its body so slowly that it merely occupies a place. */
export function watchBody(request: IncomingMessage, clock: Clock): void {
  const { socket, headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  let seen = socket.bytesRead;
  let cancel = (): void => {};
  const look = (): void => {
    if (request.complete || request.destroyed) return;
    // Unread bytes mean that the body waits for this node, not for the client.
    if (request.readableLength === 0 && socket.bytesRead - seen < BYTES_MIN) return void socket.destroy();
    seen = socket.bytesRead;
    cancel = clock.setTimer(WINDOW_MS, look);
  };
  cancel = clock.setTimer(WINDOW_MS, look);
  request.once('close', () => cancel());
}
