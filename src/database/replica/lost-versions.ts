import { visibleVersions } from '../../core/document/index.ts';
import { isSameDot, type Version } from '../../core/version/index.ts';
import type { StoredDocument } from '../../store/index.ts';

/** A document that a draft left with siblings, as it was before and as it is now. */
export interface Contested {
  readonly before: StoredDocument | undefined;
  readonly after: StoredDocument;
}

/** A version that lost, and the one that readers see in its place. */
export interface LostVersion {
  readonly loser: Version;
  readonly winner: Version;
}

/**
 * The versions of a document that lost to a concurrent one now and had not before. The winner is the sibling whose value
 * readers see, or, where a resolver made a value of several, the newest. A sibling loses nothing, and is left out, when it says
 * the same as what readers see, or when a resolver joined values and all of it is in the result. A delete loses to any value.
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

/** R9 writes versions again under another dot, with the same value and stamp: still the same write to its author. */
function isSameWrite(a: Version, b: Version): boolean {
  return isSameDot(a, b) || (a.hlc === b.hlc && a.value === b.value);
}

/** Whether every member of `part`, to any depth, is in `whole` with the same value; arrays are compared as one. */
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
