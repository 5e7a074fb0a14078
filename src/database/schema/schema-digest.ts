import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../../core/query/index.ts';
import type { StandardSchema } from './standard-schema.ts';

const DIGEST_BYTES = 16;

/**
 * The same on two nodes whose programs take the same documents, as far as a validator can say what it takes (Standard JSON
 * Schema: Zod and ArkType can). Null: it cannot.
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
    // A schema with parts that JSON has no words for: a Date, a function of the program.
    return null;
  }
}

/** Libraries list the required members as the program wrote them down, which means nothing. */
function inOneOrder(name: string, value: unknown): unknown {
  return name === 'required' && Array.isArray(value) ? value.toSorted() : value;
}
