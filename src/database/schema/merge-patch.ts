import type { JsonObject, JsonValue } from '../../core/query/index.ts';
import { isRecord, setMember } from './covers.ts';

/**
 * Applies a JSON Merge Patch (RFC 7396): members of the patch replace those of the value, null removes a member, objects are
 * patched recursively, arrays are replaced. A member that is undefined is ignored.
 */
export function mergePatch(value: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isRecord(patch)) return patch;
  const patched: Record<string, unknown> = isRecord(value) ? { ...value } : {};
  for (const [name, member] of Object.entries(patch as JsonObject)) {
    const held = Object.hasOwn(patched, name) ? (patched[name] as JsonValue) : undefined;
    if (member === null) delete patched[name];
    else if (member !== undefined) setMember(patched, name, mergePatch(held, member));
  }
  return patched as JsonObject;
}

/** The type of a patch: any part of the document; null only for members that may be missing. */
export type Patch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? string extends keyof T
      ? { readonly [K in keyof T]?: unknown }
      : { readonly [K in keyof T]?: Patch<T[K]> | (undefined extends T[K] ? null : never) }
    : T;
