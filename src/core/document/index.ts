export { checkDocumentText, STORABLE } from './check-document-text.ts';
export {
  applyVersion,
  type DocumentState,
  dropVersions,
  hasSeen,
  isDead,
  visibleVersions,
  type WriteStamp,
  writeDocument,
} from './document.ts';
export { type DocumentLimits, documentToText, hasHalfPair, jsonProblem, pointerToken } from './document-to-text.ts';
