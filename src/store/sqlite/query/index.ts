export { QueryRunner, RottenIndexError, rottenIndex } from './query-runner.ts';
