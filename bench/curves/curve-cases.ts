import type { BenchCase, Subjects } from '../bench-case.ts';
import { catchUpSubject } from '../cases/catch-up.ts';
import { coldStartSubject } from '../cases/cold-start.ts';
import { equalMeetSubject } from '../cases/equal-meet.ts';
import { firstSyncOf } from '../cases/first-sync.ts';
import { idleSubject } from '../cases/idle.ts';
import { updateSubjects } from './updates.ts';

/** The last three are what is drawn; the first is for trying. */
export const SIZES: readonly number[] = [1000, 10_000, 100_000, 1_000_000];

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

function nameAt(curveName: string, documents: number): string {
  return `${curveName} at ${documents}`;
}

function curve(name: string, documents: number, subjects: Subjects, isFreshProcess = false): BenchCase {
  return { name: nameAt(name, documents), about: '', subjects, goals: [], isFreshProcess };
}
