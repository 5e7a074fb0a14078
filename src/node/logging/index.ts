export { type OpenLogger, openLogger } from './open-logger.ts';
