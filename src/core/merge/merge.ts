import { resolveFields } from './resolve-fields.ts';
import type { Resolver } from './resolver.ts';
import { stampFields } from './stamp-fields.ts';

/**
 * Merges field by field: concurrent writes to different fields both stay, the newer of two writes to one field wins, and
 * what was knowingly replaced or removed never comes back. Objects merge member by member, arrays whose items all have a
 * distinct `id` or `_id` item by item, and counters by their entries. Other arrays, texts, numbers and references to blobs
 * are replaced as a whole. The rules are in `resolve-fields.ts`.
 */
export const merge: Resolver = {
  name: 'merge',
  revision: 1,
  resolve: (siblings) => JSON.stringify(resolveFields(siblings).value),
  stamp: stampFields,
};
