import { LIMITS } from '../../core/config/index.ts';

/**
 * Bounds of the wire format. Both ends must agree on them, so they are the defaults of `LIMITS`, never what one node has
 * configured.
 */
export const WIRE_LIMITS = {
  frameBytesMax: LIMITS.frameBytesMax,
  messageVersionsMax: LIMITS.messageVersionsMax,
  messageEntriesMax: LIMITS.messageEntriesMax,
  messageFieldsMax: LIMITS.messageFieldsMax,
  dictionaryReplicasMax: LIMITS.dictionaryReplicasMax,
  compressBytesMin: LIMITS.compressBytesMin,
} as const;

export type WireLimits = { readonly [Name in keyof typeof WIRE_LIMITS]: number };

/** Most characters in the name of a node, a start, a capability or a resolver in `Hello`. */
export const HELLO_TEXT_MAX = 256;
