import type { BenchCase, Subjects } from '../bench-case.ts';
import { catchUpSubject } from '../cases/catch-up.ts';
import { coldStartSubject } from '../cases/cold-start.ts';
import { equalMeetSubject } from '../cases/equal-meet.ts';
import { firstSyncOf } from '../cases/first-sync.ts';
import { idleSubject } from '../cases/idle.ts';
import { updateSubjects } from './updates.ts';

const IDLE_SECONDS = 20;

/** The same work on databases of each size. */
export function curveCases(sizes: readonly number[]): BenchCase[] {
  return sizes.flatMap((documents) => [
    curve('update', documents, updateSubjects(documents)),
    curve('catch-up', documents, { ours: catchUpSubject('ours', documents), row: catchUpSubject('row', documents) }),
    curve('first sync', documents, firstSyncOf(documents, ['ours', 'row']), true),
    curve('equal', documents, { ours: equalMeetSubject(documents) }),
    curve('cold start', documents, { ours: coldStartSubject(documents) }, true),
    curve('idle', documents, { ours: idleSubject(documents, IDLE_SECONDS) }),
  ]);
}

/** The curve of which the case is a point, and the point's number of documents; undefined for other cases. */
export function placeOf(caseName: string): { readonly curve: string; readonly documents: number } | undefined {
  const { curve, documents } = /^(?<curve>.+) at (?<documents>\d+)$/.exec(caseName)?.groups ?? {};
  return curve === undefined ? undefined : { curve, documents: Number(documents) };
}

function curve(name: string, documents: number, subjects: Subjects, isFreshProcess = false): BenchCase {
  return { name: `${name} at ${documents}`, about: '', subjects, goals: [], isFreshProcess };
}
