export { checkDocumentText, type DocumentTextProblem } from './check-document-text.ts';
export {
  applyVersion,
  contextOf,
  type DocumentState,
  dropVersions,
  hasSeen,
  isDead,
  visibleVersions,
  type WriteStamp,
  writeDocument,
} from './document.ts';
export {
  type DocumentLimits,
  documentToText,
  hasHalfPair,
  type JsonProblem,
  jsonProblem,
  pointerToken,
} from './document-to-text.ts';
