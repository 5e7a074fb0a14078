/**
 * Freezes plain objects and arrays through and through, as deep as a document may be (`documentDepthMax`). What a schema made
 * of a class of its own stays as it is.
 */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  for (const part of Object.values(value)) freezeDeep(part);
  return Object.freeze(value);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
