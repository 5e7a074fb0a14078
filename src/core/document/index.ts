export {
  applyVersion,
  contextOf,
  type DocumentState,
  dropVersions,
  isDead,
  visibleVersions,
  type WriteStamp,
  writeDocument,
} from './document.ts';
