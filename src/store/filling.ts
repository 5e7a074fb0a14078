/**
 * A commit of at least this many documents to a collection that has few starts filling it: a first sync or an import. A store may
 * let the indexes of such a collection fall behind, except unique ones, and build them again in `workOnIndexes`.
 */
export const FILLING_COMMIT_MIN = 64;
