/**
 * How long one piece of long work may hold the event loop, ms: then everything else has its turn. What many wait for may take two of
 * them, what may be any length and comes in numbers half of one.
 */
export const TURN_MS = 4;
