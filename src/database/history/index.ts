export { entryAt, type HistoryEntry, historyOf, type Moment, type UndoOptions, undo } from './document-history.ts';
export { toDocumentVersion } from './document-versions.ts';
export { HistoryLog } from './history-log.ts';
export { type HistoryOptions, type HistorySettings, parseHistoryOptions } from './history-options.ts';
