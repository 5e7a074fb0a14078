import type { WorldResult } from './world.ts';

/** Describes the results of all seeds of a run, in one or two lines. */
export function describeTotals(results: readonly WorldResult[], events: number, seconds: number): string[] {
  const sum = (of: (result: WorldResult) => number): number => results.reduce((total, r) => total + of(r), 0);
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  const links = results.reduce((max, result) => Math.max(max, result.links), 0);
  const healMsMax = results.reduce((max, { healMs }) => Math.max(max, healMs), 0);
  const lines = [
    `${results.length} seeds of ${events} events: ${sum((r) => r.writes)} writes, ${sum((r) => r.frames)} frames, ` +
      `${failed} failed, ${seconds.toFixed(1)} s; healed in ${(sum((r) => r.healMs) / results.length / 1000).toFixed(1)} s on ` +
      `average, ${healMsMax / 1000} s at most; ${links} links at most`,
  ];
  const clones = sum(({ residue }) => residue.clones);
  if (clones === 0) return lines;
  const harmed = results.filter(({ residue }) => residue.lost + residue.zombies + residue.diverged > 0).length;
  const of = (name: keyof WorldResult['residue']): number => sum(({ residue }) => residue[name]);
  return [
    ...lines,
    `residue: ${clones} clones, ${of('ambiguousDocuments')} ambiguous documents, ${of('lost')} writes lost, ` +
      `${of('zombies')} back, ${of('diverged')} documents unequal, in ${harmed} seeds`,
  ];
}
