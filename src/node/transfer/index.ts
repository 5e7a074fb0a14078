export { type ExportOptions, type ExportSource, exportDocuments, fieldsOf, withVersions } from './export-documents.ts';
export { type ImportOptions, type ImportProgress, importDocuments, type TransferFormat } from './import-documents.ts';
export type { Delimiter } from './read-csv.ts';
export { readLines } from './read-lines.ts';
