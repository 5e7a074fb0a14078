export { backupFiles } from './backup-files.ts';
export { readDiskSpace } from './disk-space.ts';
export { toFileError } from './file-errors.ts';
export { fileProblem } from './file-problem.ts';
export { pathProblem, requirePath } from './path-problem.ts';
export { makePrivateFolder } from './private-folder.ts';
export { syncFolder } from './sync-folder.ts';
