import { ConfigurationError } from '../../core/errors/index.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The value of a JSON body. Members may have any name, `__proto__` included: whatever a document may hold can be sent. Throws USAGE
 * for a body that is not JSON or not UTF-8, because a lenient decoder would store something other than what was sent.
 */
export function parseJsonBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(body));
  } catch (cause) {
    const why = body.length === 0 ? 'is empty' : cause instanceof SyntaxError ? 'is not JSON' : 'is not UTF-8';
    throw new ConfigurationError('USAGE', `the body ${why}; send JSON in UTF-8`, { cause });
  }
}
