export { copiedText, forgetCopied, whyCopied } from './copied-file.ts';
export { fileNotices } from './file-notices.ts';
export { forgetNotices, keepNotices, keptNotices } from './kept-notices.ts';
