import type { WriteStamp } from '../document/index.ts';
import type { FieldStamp, Version } from '../version/index.ts';

/**
 * A pure function from the sibling versions of a document to the value that readers see (rule R3). The sets of versions
 * converge whatever the resolver does. Values converge if all nodes use a resolver with the same name and revision; nodes
 * tell each other both.
 */
export interface Resolver {
  /** 1 to 64 letters, digits, `.`, `_` or `-`; not `lww` or `merge`. */
  readonly name: string;
  /** An integer; change it whenever `resolve` changes its answers. */
  readonly revision: number;
  /**
   * Receives at least two versions, none a tombstone, sorted by (stamp, replica, seq); returns the JSON text of an object.
   * It must depend on nothing but its argument: no clock, no random numbers. If it throws or returns anything else, `lww`
   * decides instead, which is reported. So is a resolver that takes over 10 ms; its answer counts.
   */
  resolve(siblings: readonly Version[]): string;
  /** Field stamps of a local write of `value` by `writer` that replaces `seen` (visible versions). Absent: none are kept. */
  stamp?(seen: readonly Version[], value: string, writer: WriteStamp): readonly FieldStamp[] | null;
}
