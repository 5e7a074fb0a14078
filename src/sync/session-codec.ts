import { createDecoder, createEncoder, ZSTD_CAPABILITY } from '../net/messages/index.ts';
import type { SessionCodec } from './session-runner.ts';

/** Optional abilities of this release beyond the protocol itself. */
export const CAPABILITIES: readonly string[] = [ZSTD_CAPABILITY];

/** Converts messages to frames and back. Compression begins once the peer's greeting says that it can read it. */
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
