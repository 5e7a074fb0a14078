export { type OpenLogger, type OpenLoggerOptions, openLogger } from './open-logger.ts';
export { createRedactor } from './redact.ts';
