import { createDecoder, createEncoder, ZSTD_CAPABILITY } from '../../net/messages/index.ts';
import type { SessionCodec } from '../../sync/index.ts';

/** What this node can do beyond the protocol itself. */
export const CAPABILITIES: readonly string[] = [ZSTD_CAPABILITY];

/** Bytes on the wire. Compression begins once the peer's greeting has said that it can take it. */
export function createSessionCodec(): SessionCodec {
  const plain = createEncoder({ zstd: false });
  const decoder = createDecoder();
  let encoder = plain;
  return {
    encode: (message) => encoder.encode(message),
    decode: (frame) => {
      const message = decoder.decode(frame);
      if (message?.kind === 'hello' && message.capabilities.includes(ZSTD_CAPABILITY)) encoder = plain;
      return message;
    },
  };
}
