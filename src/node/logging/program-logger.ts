import type { Logger } from '../../core/logging/index.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * Wraps the logger that a program gives. Its errors are ignored: it is called in the middle of everything that a node does, and a log
 * that cannot be written must not end any of that. Throws TypeError if it lacks a method.
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
        // There is nowhere left to report it.
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
