import type { Message } from '../src/net/messages/index.ts';
import type { SessionCodec } from '../src/sync/index.ts';

const FRAME_BYTES = 4;

/** A frame that carries its message as an object. */
class ObjectFrame extends Uint8Array {
  message: Message | undefined;
}

/** Passes messages as objects. Other tests cover the encoding, and this is several times as fast. */
export function createObjectCodec(): SessionCodec {
  return {
    encode: (message) => {
      const frame = new ObjectFrame(FRAME_BYTES);
      frame.message = message;
      return frame;
    },
    decode: (frame) => (frame as ObjectFrame).message,
  };
}

/** A codec that also calls `onSent` with every message that is sent. */
export function watchedCodec(codec: SessionCodec, onSent: (message: Message) => void): SessionCodec {
  return {
    encode: (message) => {
      onSent(message);
      return codec.encode(message);
    },
    decode: (frame) => codec.decode(frame),
  };
}

export function messageText(message: Message): string {
  return JSON.stringify(message, short);
}

function short(name: string, value: unknown): unknown {
  if (value instanceof Map)
    return [...value]
      .map(([of, known]) => `${String(of).slice(0, 6)}:${(known as { seq?: number })?.seq ?? known}`)
      .join();
  if (name === 'digest') return Buffer.from(value as Uint8Array).toString('hex', 0, 4);
  if (name === 'replica') return String(value).slice(0, 6);
  return value;
}
