import { hash } from 'node:crypto';

/** Least, usual and greatest bytes of a chunk. */
export const CHUNK_BYTES_MIN = 64 * 1024;
const CHUNK_BYTES_USUAL = 128 * 1024;
export const CHUNK_BYTES_MAX = 256 * 1024;

/** Before the usual size a boundary is one of 2^19 places, behind it one of 2^15: sizes gather around the usual one. */
const MASK_EARLY = -1 << 13;
const MASK_LATE = -1 << 17;

/** A fixed table of 256 random numbers. Nodes that cut alike store alike; nothing depends on it for being right. */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) => hash('sha256', `gear ${byte}`, 'buffer').readInt32BE());

/**
 * Cuts a stream of bytes where its own content says so, and not at fixed places: after an insertion all further chunks are the
 * same again. FastCDC: a rolling gear hash, no boundary below the least size, and two masks around the usual one (Xia et
 * al., "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data Deduplication", USENIX ATC 2016, sections
 * 3.2 to 3.5). Holds one chunk.
 */
export class Chunker {
  readonly #held = Buffer.alloc(CHUNK_BYTES_MAX);
  #heldBytes = 0;
  /** Bytes of the chunk under way that were looked at, and the hash there. */
  #scanned = CHUNK_BYTES_MIN;
  #rolling = 0;

  /** The chunks that these bytes complete. Each is the caller's own. */
  *push(bytes: Uint8Array): Generator<Buffer> {
    for (let from = 0; from < bytes.length; ) {
      const taken = Math.min(bytes.length - from, CHUNK_BYTES_MAX - this.#heldBytes);
      this.#held.set(bytes.subarray(from, from + taken), this.#heldBytes);
      this.#heldBytes += taken;
      from += taken;
      for (let end = this.#boundary(); end > 0; end = this.#boundary()) yield this.#take(end);
    }
  }

  /** What is left; undefined: nothing. */
  end(): Buffer | undefined {
    return this.#heldBytes === 0 ? undefined : this.#take(this.#heldBytes);
  }

  /** Length of the first chunk in what is held; 0: it goes on. */
  #boundary(): number {
    const held = this.#held;
    const bytes = this.#heldBytes;
    let rolling = this.#rolling;
    let i = this.#scanned;
    for (const usual = Math.min(bytes, CHUNK_BYTES_USUAL); i < usual; ) {
      rolling = ((rolling << 1) + GEAR[held[i++]!]!) | 0;
      if ((rolling & MASK_EARLY) === 0) return i;
    }
    while (i < bytes) {
      rolling = ((rolling << 1) + GEAR[held[i++]!]!) | 0;
      if ((rolling & MASK_LATE) === 0) return i;
    }
    this.#scanned = i;
    this.#rolling = rolling;
    return bytes === CHUNK_BYTES_MAX ? bytes : 0;
  }

  #take(bytes: number): Buffer {
    const chunk = Buffer.from(this.#held.subarray(0, bytes));
    this.#held.copyWithin(0, bytes, this.#heldBytes);
    this.#heldBytes -= bytes;
    this.#scanned = CHUNK_BYTES_MIN;
    this.#rolling = 0;
    return chunk;
  }
}
