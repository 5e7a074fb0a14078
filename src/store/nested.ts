/** The inner table under `key`, created if there is none. */
export function nested<K, L, V>(tables: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let table = tables.get(key);
  if (table === undefined) {
    table = new Map();
    tables.set(key, table);
  }
  return table;
}
