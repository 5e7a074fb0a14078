import { DatabaseCorruptionError } from '../../core/errors/index.ts';
import { fullKey } from '../../core/ids/index.ts';
import type { Damage } from '../../store/index.ts';

/** A store that can be checked. */
export interface CheckedStore {
  checkIntegrity(options?: { readonly signal?: AbortSignal }): AsyncIterable<Damage>;
}

export interface CheckOptions {
  /** Aborts the check, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called for each damage as it is found, so that the repair may begin before the check has ended. */
  readonly onDamage?: (damage: Damage) => void;
  /** Damage that is known although the file no longer shows it; called when everything was read. Default: none. */
  readonly unresolved?: () => readonly Damage[];
}

/** How many damaged things the message names; `DETAILED_MAX`: how many the details contain. */
const NAMED_MAX = 5;
const DETAILED_MAX = 1000;

/** Reads everything. Rejects with a DatabaseCorruptionError (DATABASE_CORRUPT) that names what is damaged, also in `details.damage`. */
export async function checkIntegrity(
  store: CheckedStore,
  { signal, onDamage, unresolved = () => [] }: CheckOptions = {},
): Promise<void> {
  const found: Damage[] = [];
  for await (const damage of store.checkIntegrity(signal === undefined ? {} : { signal })) {
    found.push(damage);
    onDamage?.(damage);
  }
  signal?.throwIfAborted();
  const names = new Set(found.map(nameOf));
  found.push(...unresolved().filter((damage) => !names.has(nameOf(damage))));
  if (found.length === 0) return;
  const named = found.slice(0, NAMED_MAX).map(damageText).join('; ');
  const more = found.length > NAMED_MAX ? `; and ${found.length - NAMED_MAX} more` : '';
  throw new DatabaseCorruptionError(`the database is damaged: ${named}${more}`, {
    details: { damage: found.slice(0, DETAILED_MAX), count: found.length },
  });
}

function nameOf(damage: Damage): string {
  return damage.kind === 'document' ? fullKey(damage.collection, damage.key) : '';
}

/** One damaged thing, as text. */
function damageText(damage: Damage): string {
  switch (damage.kind) {
    case 'document':
      return `document ${JSON.stringify(damage.key)} in ${JSON.stringify(damage.collection)} (${damage.problem})`;
    case 'collection':
      return `collection ${JSON.stringify(damage.collection)} (${damage.problem})`;
    case 'index':
      return `${damage.problem} (collection ${JSON.stringify(damage.collection)})`;
    case 'entry':
    case 'file':
      return damage.problem;
    default:
      return damage satisfies never;
  }
}
