import { createDecoder, createEncoder, ZSTD_CAPABILITY } from '../net/messages/index.ts';
import type { SessionCodec } from './session-runner.ts';

/** What this node can do beyond the protocol itself. */
export const CAPABILITIES: readonly string[] = [ZSTD_CAPABILITY];

/** Messages as frames. Compression begins once the peer's greeting has said that it can read it. */
export function createSessionCodec(): SessionCodec {
  const encoder = createEncoder({ zstd: false });
  const decoder = createDecoder();
  return {
    encode: (message) => encoder.encode(message),
    decode: (frame) => {
      const message = decoder.decode(frame);
      if (message?.kind === 'hello' && message.capabilities.includes(ZSTD_CAPABILITY)) encoder.allowZstd();
      return message;
    },
  };
}
