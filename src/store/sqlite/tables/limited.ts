/**
 * The end of a statement for so many rows. Of a limit that is a bare parameter SQLite wants to know the value when it plans, and
 * prepares the statement anew whenever another one is bound: 10 to 20 µs, as long as it takes to read ten documents.
 */
export const LIMITED = 'LIMIT +?';
