import type { Clock } from '../../core/clock/index.ts';
import { messageOf, NetworkError } from '../../core/errors/index.ts';
import { addressText } from '../address-text.ts';
import type { Address, Channel, Transport } from '../transport.ts';

/** Head start of each address over the next (RFC 8305 §5 recommends 250 ms). */
const HEAD_START_MS = 250;

/**
 * Dials several addresses of one peer. Each next one starts when the previous one has failed or has had its head start.
 * Resolves with the first channel and aborts the other attempts. If all fail, rejects with NetworkError CONNECT_FAILED, or,
 * for a single address, with its own error. `signal` aborts every attempt; the promise then rejects with `signal.reason`.
 */
export async function raceDial(
  transport: Pick<Transport, 'dial'>,
  addresses: readonly Address[],
  clock: Clock,
  { signal, onAnswer }: { readonly signal: AbortSignal | undefined; readonly onAnswer?: () => void },
): Promise<Channel> {
  signal?.throwIfAborted();
  const over = new AbortController();
  const given = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const failures: { readonly address: Address; readonly error: unknown }[] = [];
  const cancels: (() => void)[] = [];

  try {
    return await new Promise<Channel>((resolve, reject) => {
      let isWon = false;
      let next = 0;
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });

      const startNext = (): void => {
        const address = addresses[next++];
        if (address === undefined || given.aborted) return;
        let isStepDone = false;
        const step = (): void => {
          if (!isStepDone) startNext();
          isStepDone = true;
        };
        cancels.push(clock.setTimer(HEAD_START_MS, step));
        transport.dial(address, { signal: given, ...(onAnswer && { onAnswer }) }).then(
          (channel) => {
            if (isWon || given.aborted) return channel.close('duplicate');
            isWon = true;
            resolve(channel);
          },
          (error: unknown) => {
            failures.push({ address, error });
            if (failures.length === addresses.length) reject(summarise(failures));
            else step();
          },
        );
      };
      if (addresses.length === 0) reject(new NetworkError('CONNECT_FAILED', 'no address of the peer is known'));
      startNext();
    });
  } finally {
    for (const cancel of cancels) cancel();
    over.abort();
  }
}

function summarise(failures: readonly { readonly address: Address; readonly error: unknown }[]): unknown {
  if (failures.length === 1) return failures[0]!.error;
  const lines = failures.map(({ address, error }) => {
    const [where, message] = [addressText(address), messageOf(error)];
    return message.startsWith(where) ? message : `${where}: ${message}`;
  });
  return new NetworkError('CONNECT_FAILED', `no connection by any of ${lines.length} addresses: ${lines.join('; ')}`, {
    cause: failures.at(-1)!.error,
  });
}
