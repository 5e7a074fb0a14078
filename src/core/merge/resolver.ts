import type { WriteStamp } from '../document/index.ts';
import type { FieldStamp, Version } from '../version/index.ts';

/**
 * R3: a pure function from the sibling versions of a document to the value that readers see. The sets of versions converge
 * whatever the resolver does; values converge when nodes agree on name and revision, which travel in `Hello`.
 */
export interface Resolver {
  readonly name: string;
  readonly revision: number;
  /**
   * At least two versions, none a tombstone, sorted by (stamp, replica, seq). Returns JSON text of an object. Must not
   * look at a clock or throw: then, and when it returns anything else, the document falls back to `lww`. That, and taking
   * over 10 ms, is reported.
   */
  resolve(siblings: readonly Version[]): string;
  /** Field stamps for a local write of `value` by `writer` over `seen` (visible versions only); absent: none are kept. */
  stamp?(seen: readonly Version[], value: string, writer: WriteStamp): readonly FieldStamp[] | null;
}
