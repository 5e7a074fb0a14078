/**
 * Whether a validator left a value unchanged: each member of its output is in the given value, with the same value. Members
 * of the given value that the output lacks do not count: the validator does not know them.
 */
export function isCovered(output: unknown, given: unknown): boolean {
  if (output === given) return true;
  if (typeof output !== 'object' || typeof given !== 'object' || output === null || given === null) return false;
  if (Array.isArray(output) || Array.isArray(given)) {
    if (!Array.isArray(output) || !Array.isArray(given) || output.length !== given.length) return false;
    return output.every((item, i) => isCovered(item, given[i]));
  }
  if (!isRecord(output)) return false;
  for (const name of Object.keys(output)) {
    if (
      output[name] !== undefined &&
      !(Object.hasOwn(given, name) && isCovered(output[name], (given as Record<string, unknown>)[name]))
    )
      return false;
  }
  return true;
}

/** The output of a validator, plus the members of the given value that it left out: a newer program may know them. */
export function withUnknownMembers(output: unknown, given: unknown): unknown {
  if (Array.isArray(output) && Array.isArray(given) && output.length === given.length)
    return output.map((item, i) => withUnknownMembers(item, given[i]));
  if (!isRecord(output) || !isRecord(given)) return output;
  const joined: Record<string, unknown> = { ...given };
  for (const name of Object.keys(output)) setMember(joined, name, withUnknownMembers(output[name], given[name]));
  return joined;
}

/** Sets a member, also one named `__proto__`, for which an assignment would set the prototype. */
export function setMember(record: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') record[name] = value;
  else Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A plain object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
