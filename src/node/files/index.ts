export { backupFiles } from './backup-files.ts';
export { readDiskSpace } from './disk-space.ts';
export { fileProblem, toFileError } from './file-errors.ts';
export { pathProblem, requirePath } from './path-problem.ts';
export { makePrivateFolder } from './private-folder.ts';
export { syncFolder } from './sync-folder.ts';
