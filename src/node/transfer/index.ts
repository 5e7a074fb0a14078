export { exportDocuments } from './export-documents.ts';
export { type ImportOptions, importDocuments } from './import-documents.ts';
export { readLines } from './read-lines.ts';
