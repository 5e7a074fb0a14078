export { toDocumentVersion } from './document-versions.ts';
