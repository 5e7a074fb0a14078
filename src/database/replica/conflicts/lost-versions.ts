import { visibleVersions } from '../../../core/document/index.ts';
import { isSameDot, type Version } from '../../../core/version/index.ts';
import type { StoredDocument } from '../../../store/index.ts';
import type { Contested } from '../draft.ts';

/** A version that lost, and the one that readers see instead. */
export interface LostVersion {
  readonly loser: Version;
  readonly winner: Version;
}

/**
 * The versions of a document that lose to a concurrent one after the change and did not before. The winner is the sibling
 * whose value readers see, or the newest one if a resolver merged several. A sibling has not lost if its value is what readers
 * see, or if a resolver merged values and all of this one is in the result. A delete loses to any value.
 */
export function newlyLost({ before, after }: Contested): readonly LostVersion[] {
  const now = lostOf(after);
  if (now.length === 0 || before === undefined || before.versions.length < 2) return now;
  const earlier = lostOf(before);
  return now.filter(({ loser }) => !earlier.some((old) => isSameWrite(old.loser, loser)));
}

function lostOf(document: StoredDocument): readonly LostVersion[] {
  const visible = visibleVersions(document);
  const { value } = document;
  if (value === null || visible.length === 0 || document.versions.length < 2) return [];
  const chosen = visible.findLast((version) => version.value === value);
  const winner = chosen ?? visible.at(-1)!;
  const isLost = (version: Version): boolean => {
    if (version === winner || version.value === value) return false;
    if (version.value !== null && version.format !== winner.format) return false;
    return chosen !== undefined || version.value === null || !isContained(JSON.parse(version.value), JSON.parse(value));
  };
  return document.versions.filter(isLost).map((loser) => ({ loser, winner }));
}

/** Whether two versions are one write. R9 writes versions again under another dot, with the same value and stamp. */
function isSameWrite(a: Version, b: Version): boolean {
  return isSameDot(a, b) || (a.hlc === b.hlc && a.value === b.value);
}

/** Whether every member of `part`, at any depth, is in `whole` with the same value. Arrays must have the same length. */
function isContained(part: unknown, whole: unknown): boolean {
  if (isObject(part) && isObject(whole))
    return Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && isContained(value, whole[name]));
  if (Array.isArray(part) && Array.isArray(whole))
    return part.length === whole.length && part.every((item, i) => isContained(item, whole[i]));
  return part === whole;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
