import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../core/clock/index.ts';
import { TIMES } from '../../core/config/index.ts';
import { type EntglDbError, NetworkError, SyncError, TimeoutError } from '../../core/errors/index.ts';
import type { DeviceKey } from './device-key.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, makeProof, PROOF_BYTES, type Role, readProof } from './device-proof.ts';
import { FrameReader, frameHeader } from './framing.ts';
import type { OwnEnds } from './own-ends.ts';

export interface AuthenticateDeps {
  readonly deviceKey: DeviceKey;
  readonly clock: Clock;
  readonly ownEnds: OwnEnds;
}

/** The result of both proofs: the peer's device key, and a reader that may already hold bytes after the proof. */
export interface Authenticated {
  readonly peerKey: string;
  readonly reader: FrameReader;
}

/**
 * Exchanges proofs of the device keys over a socket whose TLS handshake is done; the socket is paused afterwards. Rejects with
 * HANDSHAKE_FAILED, TIMED_OUT after 5 s (a deadline, however slowly bytes arrive), SELF_CONNECTION if both ends are this very
 * node, or IDENTITY_FORKED if the other end is a copy of it. On rejection, the caller destroys the socket.
 */
export function authenticate(socket: TLSSocket, role: Role, deps: AuthenticateDeps): Promise<Authenticated> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(gone());
    const exported = socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
    deps.ownEnds.note(role, exported);
    const reader = new FrameReader(PROOF_BYTES);
    const cancelDeadline = deps.clock.setTimer(TIMES.deviceProofMsMax, () => {
      fail(
        new TimeoutError(`the peer did not prove its device key within ${TIMES.deviceProofMsMax} ms`, {
          details: { isConnected: true },
        }),
      );
    });
    const settle = (): void => {
      cancelDeadline();
      socket.off('data', onData).off('close', onClose).pause();
    };
    const fail = (error: EntglDbError): void => {
      settle();
      reject(error);
    };
    const onClose = (): void => fail(gone());
    const onData = (bytes: Buffer): void => {
      const outcome = readPeerKey(reader, bytes, role, exported, deps);
      if (outcome === undefined) return;
      if (typeof outcome !== 'string') return fail(outcome);
      settle();
      resolve({ peerKey: outcome, reader });
    };
    socket.on('data', onData).on('close', onClose);
    const proof = makeProof(deps.deviceKey, role, exported);
    socket.write(Buffer.concat([frameHeader(proof.length), proof]));
  });
}

function gone(): NetworkError {
  return new NetworkError('HANDSHAKE_FAILED', 'the peer left before it had proven its device key');
}

/** The proven key, an error, or undefined while bytes are missing. */
function readPeerKey(
  reader: FrameReader,
  bytes: Uint8Array,
  ownRole: Role,
  exported: Uint8Array,
  { deviceKey, ownEnds }: AuthenticateDeps,
): string | EntglDbError | undefined {
  const proof = nextFrame(reader, bytes);
  if (!(proof instanceof Uint8Array)) return proof;
  const peerKey = readProof(proof, ownRole === 'dialler' ? 'acceptor' : 'dialler', exported);
  if (peerKey === undefined) {
    return new NetworkError(
      'HANDSHAKE_FAILED',
      'the peer did not prove its device key: another party may sit in between',
    );
  }
  if (peerKey !== deviceKey.publicKey) return peerKey;
  if (!ownEnds.has(exported)) {
    return new SyncError(
      'IDENTITY_FORKED',
      'the other end of this connection holds the device key of this node: one is a copy of the other',
    );
  }
  return new SyncError('SELF_CONNECTION', 'the other end of this connection is this very node; leave out the address');
}

function nextFrame(reader: FrameReader, bytes: Uint8Array): Uint8Array | EntglDbError | undefined {
  reader.push(bytes);
  try {
    return reader.next();
  } catch (cause) {
    return new NetworkError('HANDSHAKE_FAILED', 'the peer began with something else than the proof of its device key', {
      cause,
    });
  }
}
