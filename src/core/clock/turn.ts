/**
 * How long one piece of long work may hold the event loop before everything else has its turn, ms. Work that many wait for
 * may take twice as long. Work of any length that may run several times at once takes half.
 */
export const TURN_MS = 4;
