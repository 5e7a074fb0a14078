import { resolveFields } from './resolve-fields.ts';
import type { Resolver } from './resolver.ts';
import { stampFields } from './stamp-fields.ts';

/**
 * Field by field: concurrent writes to different fields both stay, the newer of two writes to one field wins, and what was
 * replaced or removed knowingly never comes back. Objects are joined member by member, arrays whose items all carry a
 * distinct `id` or `_id` item by item, counters by their entries; other arrays, texts, numbers and references to blobs as one. The rules are in
 * `resolve-fields.ts`.
 */
export const merge: Resolver = {
  name: 'merge',
  revision: 1,
  resolve: (siblings) => JSON.stringify(resolveFields(siblings).value),
  stamp: stampFields,
};
