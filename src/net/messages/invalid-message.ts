import { SyncError } from '../../core/errors/index.ts';

/** What the decoder throws for anything that breaks a rule of wire.proto: `where` names message and field. */
export function invalidMessage(where: string, what: string, cause?: unknown): SyncError {
  return new SyncError(
    'MESSAGE_INVALID',
    `a message of the peer is invalid: ${where} ${what}; the connection is closed, both ends should run a release that speaks this protocol`,
    { details: { where, what }, cause },
  );
}

/** What the encoder throws for a message that exceeds a bound of the wire format. */
export function messageTooLarge(where: string, what: string): SyncError {
  return new SyncError('MESSAGE_TOO_LARGE', `${where} is too large for one message: ${what}; send it in several`, {
    details: { where, what },
  });
}
