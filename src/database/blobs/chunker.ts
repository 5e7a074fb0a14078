import { hash } from 'node:crypto';

/** Minimum, usual and maximum size of a chunk in bytes. */
export const CHUNK_BYTES_MIN = 64 * 1024;
const CHUNK_BYTES_USUAL = 128 * 1024;
export const CHUNK_BYTES_MAX = 256 * 1024;

/**
 * Before the usual size, one of 2^19 places is a boundary; after it, one of 2^15. So the sizes are concentrated around the
 * usual one.
 */
const MASK_EARLY = -1 << 13;
const MASK_LATE = -1 << 17;

/** A fixed table of 256 random numbers. Nodes with the same table cut alike and share chunks; correctness does not need it. */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) => hash('sha256', `gear ${byte}`, 'buffer').readInt32BE());

/**
 * Cuts a stream of bytes at places that depend on its content, not at fixed offsets: the chunks after an insertion stay the
 * same. FastCDC: a rolling gear hash, no boundary below the minimum size, and two masks around the usual size (Xia et al.,
 * "FastCDC: a Fast and Efficient Content-Defined Chunking Approach for Data Deduplication", USENIX ATC 2016, sections 3.2 to
 * 3.5). Buffers at most one chunk.
 */
export class Chunker {
  readonly #held = Buffer.alloc(CHUNK_BYTES_MAX);
  #heldBytes = 0;
  /** How many bytes of the current chunk were scanned, and the rolling hash at that place. */
  #scanned = CHUNK_BYTES_MIN;
  #rolling = 0;

  /** The chunks that these bytes complete. Each is a copy that the caller may keep. */
  *push(bytes: Uint8Array): Generator<Buffer> {
    for (let from = 0; from < bytes.length; ) {
      const taken = Math.min(bytes.length - from, CHUNK_BYTES_MAX - this.#heldBytes);
      this.#held.set(bytes.subarray(from, from + taken), this.#heldBytes);
      this.#heldBytes += taken;
      from += taken;
      for (let end = this.#boundary(); end > 0; end = this.#boundary()) yield this.#take(end);
    }
  }

  /** The last chunk; undefined if nothing is left. */
  end(): Buffer | undefined {
    return this.#heldBytes === 0 ? undefined : this.#take(this.#heldBytes);
  }

  /** Length of the first chunk in the buffer; 0 if it is not complete yet. */
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
