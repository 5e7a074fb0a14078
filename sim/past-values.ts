import type { History } from './history.ts';
import { HISTORY, type SimNode } from './node.ts';
import { unreadableKeys } from './scene.ts';
import type { Place, TrueWrite } from './true-write.ts';

/**
 * What is wrong with the values that the node says its readers saw before: one that did not change is listed twice, one that
 * a program on the node wrote is missing, or does not follow the one that the program had replaced.
 */
export function wrongPasts(node: SimNode, history: History): string[] {
  return history
    .places()
    .filter(({ collection }) => !history.goneRows.has(collection))
    .flatMap((place) => wrongPast(node, history, place));
}

function wrongPast(node: SimNode, history: History, place: Place): string[] {
  const values = valuesOf(node, place);
  if (values === undefined) return [];
  const where = `${node.key} ${place.collection}/${place.key}`;
  const repeated = values.find((value, i) => i > 0 && value === values[i - 1]);
  if (repeated !== undefined) return [`history: ${where} lists ${repeated} twice in a row`];
  const isWhole = values.length <= HISTORY.versions;
  return history.ofDocument(place).flatMap((write) => {
    // Another disk of this node had another past. A value that was brought back stands in two places.
    if (write.author !== node.key || write.disk !== node.replacedDisks || write.isUndone || !isNew(write)) return [];
    const at = values.indexOf(write.value);
    if (at < 0) return isWhole && write.isAcknowledged ? [`history: ${where} lacks ${write.value}`] : [];
    if (!isWhole || at === 0 || values[at - 1] === write.replaced) return [];
    return [`history: ${where} lists ${values[at - 1]} before ${write.value}, which replaced ${write.replaced}`];
  });
}

/** What readers saw, oldest first; the last one is what they see now. Undefined if it cannot be read. */
function valuesOf(node: SimNode, { collection, key }: Place): (string | null)[] | undefined {
  const past = node.past?.of(collection, key).map(({ value }) => value);
  if (past === undefined || unreadableKeys(node, collection, [key]).length > 0) return undefined;
  return [...past, node.replica.get(collection, key)?.value ?? null];
}

/** Whether nobody ever saw the value before: it names its own transaction. */
function isNew({ value, transaction }: TrueWrite): boolean {
  return value?.startsWith(`{"id":${transaction},`) ?? false;
}
