import type { Logger } from '../../core/logging/index.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * The logger that a program gives. What it throws is thrown away: it is called amid everything that a node does by itself, where
 * a log that cannot be written must end nothing. Throws TypeError where it lacks a method.
 */
export function programLogger(logger: Logger): Logger {
  for (const name of [...LEVELS, 'child'] as const)
    if (typeof logger[name] !== 'function')
      throw new TypeError(`logger has no method ${name}; it needs ${LEVELS.join(', ')} and child, as pino has them`);
  return guarded(logger);
}

function guarded(logger: Logger): Logger {
  const say =
    (level: (typeof LEVELS)[number]) =>
    (fields: object, message: string): void => {
      try {
        logger[level](fields, message);
      } catch {
        // There is nobody left to tell.
      }
    };
  const child = (fields: object): Logger => {
    try {
      return guarded(logger.child(fields));
    } catch {
      return guarded(logger);
    }
  };
  return {
    trace: say('trace'),
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
    child,
  };
}
