/** The random port: seeded in tests and in the simulator, cryptographic in production (`node/system-random.ts`). */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array;
  /** A number in [0, 1). */
  next(): number;
}
