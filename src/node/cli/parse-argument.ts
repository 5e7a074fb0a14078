import { ConfigurationError } from '../../core/errors/index.ts';

/** Parses a JSON object from the command line. The USAGE error says what is wrong and how to quote it in a shell. */
export function parseJsonObject(text: string, what: string): Record<string, never> {
  if (text.trim() === '') throw new ConfigurationError('USAGE', `${what} is empty; give one as in '{"name":"Alice"}'`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `${what} is not JSON (${(cause as Error).message}); quote it as in '{"name":"Alice"}'`;
    throw new ConfigurationError('USAGE', message, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, never>;
  throw new ConfigurationError('USAGE', `${what} must be a JSON object such as '{"name":"Alice"}'`);
}

export function parseFilterArgument(text: string | undefined): object | undefined {
  return text === undefined ? undefined : parseJsonObject(text, 'FILTER');
}

/** `name`, `-age`, `-age,name`, or JSON `{"age":-1}`. */
export function parseSort(text: string): Record<string, 1 | -1> {
  if (text.trim().startsWith('{')) return parseSortObject(parseJsonObject(text, '--sort'));
  const fields = text.split(',').map((field) => field.trim());
  if (fields.some((field) => field === '' || field === '-')) throw badSort(text);
  return Object.fromEntries(fields.map((field) => (field.startsWith('-') ? [field.slice(1), -1] : [field, 1])));
}

/** `name,address.city`. */
export function parseFields(text: string): string[] {
  const fields = text.split(',').map((field) => field.trim());
  if (fields.every((field) => field !== '')) return fields;
  throw new ConfigurationError('USAGE', `--fields ${text}: name them as in "name,address.city"`);
}

function parseSortObject(value: Record<string, unknown>): Record<string, 1 | -1> {
  if (Object.values(value).every((direction) => direction === 1 || direction === -1))
    return value as Record<string, 1 | -1>;
  throw badSort(JSON.stringify(value));
}

function badSort(text: string): ConfigurationError {
  return new ConfigurationError(
    'USAGE',
    `--sort ${text}: name fields as in "name", or "-age,name" for the oldest first`,
  );
}

/** A whole number of at least `min`. */
export function parseWhole(text: string, option: string, min: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new ConfigurationError('USAGE', `${option} ${text}: give a whole number of at least ${min}`);
}
