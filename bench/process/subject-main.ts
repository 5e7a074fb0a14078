import { allCases } from '../all-cases.ts';
import type { Figures, Prepared, Scale, SubjectName } from '../bench-case.ts';
import { curveCases, placeOf } from '../curves/curve-cases.ts';
import { Gauges } from '../gauges.ts';
import { answer } from './answer.ts';

/** The commands to the process of one subject of one case. */
export type SubjectCommand =
  | {
      readonly kind: 'prepare';
      readonly caseName: string;
      readonly subject: SubjectName;
      readonly scale: Scale;
      readonly folder: string;
    }
  | { readonly kind: 'run'; readonly round: number }
  | { readonly kind: 'close' };

const gauges = new Gauges();
let prepared: Prepared | undefined;

answer(async (command: SubjectCommand): Promise<Figures> => {
  switch (command.kind) {
    case 'prepare': {
      const place = placeOf(command.caseName);
      const cases = place ? curveCases([place.documents]) : await allCases(command.scale);
      const subject = cases.find(({ name }) => name === command.caseName)?.subjects[command.subject];
      prepared = await subject?.(command.folder);
      return {};
    }
    case 'run':
      return measured(() => prepared!.run(command.round));
    case 'close':
      await prepared?.close();
      return {};
  }
});

/** The figures of the work, and the gauges of this process. A figure of the case replaces a gauge of the same name. */
async function measured(work: () => Promise<Figures>): Promise<Figures> {
  gauges.start();
  const figures = await work();
  return { ...(await gauges.stop()), ...figures };
}
