import type { VersionBody } from '../core/version/index.ts';

/** Bytes that a version takes in a message besides key and value; and, below, per line of its context or field stamp. */
const VERSION_BYTES = 32;
const ENTRY_BYTES = 12;

type Weighed = Pick<VersionBody, 'value' | 'context' | 'stamps'>;

/** About how many bytes a version takes in a message. A value of few bytes may have a context of thousands of lines. */
export function versionBytes(key: string, version: Weighed): number {
  return (version.value?.length ?? 0) + key.length + VERSION_BYTES + ENTRY_BYTES * (entriesOf(version) - 1);
}

/** How many entries of a message a version is; see `messageEntriesMax`. */
export function entriesOf({ context, stamps }: Weighed): number {
  return 1 + context.length + (stamps === null ? 0 : 1 + stamps.length);
}
