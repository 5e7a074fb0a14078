export { applyLiveChanges } from './diff-results.ts';
export type { Live, LiveChange, LiveCount, LiveDocument, LiveEntry, LiveQuery, LiveUpdate } from './live-api.ts';
export { LiveQueries } from './live-queries.ts';
export { LiveShape } from './live-shape.ts';
