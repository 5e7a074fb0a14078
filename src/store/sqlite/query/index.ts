export { QueryRunner } from './query-runner.ts';
export { RottenIndexError, rottenIndex } from './rotten-index.ts';
