import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../../core/query/index.ts';
import type { StandardSchema } from './standard-schema.ts';

const DIGEST_BYTES = 16;

/**
 * A digest of what a schema accepts, equal on two nodes whose programs accept the same documents. Null if the validator
 * cannot describe what it accepts (by Standard JSON Schema, as Zod and ArkType do).
 */
export function schemaDigest(schema: StandardSchema): string | null {
  try {
    const taken = schema['~standard'].jsonSchema?.input({ target: 'draft-2020-12' });
    if (taken === undefined) return null;
    const text = canonicalJson(JSON.parse(JSON.stringify(taken, inOneOrder)) as JsonValue);
    return createHash('sha256')
      .update(text)
      .digest('hex')
      .slice(0, 2 * DIGEST_BYTES);
  } catch {
    // The schema has parts that JSON Schema cannot describe, such as a Date or a function of the program.
    return null;
  }
}

/** Sorts the required members, which libraries list in the order of the program. */
function inOneOrder(name: string, value: unknown): unknown {
  return name === 'required' && Array.isArray(value) ? value.toSorted() : value;
}
