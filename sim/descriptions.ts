import { type Finding, nameOf } from './history.ts';

export function describeFinding({ kind, write }: Finding): string {
  const what =
    kind === 'zombie' ? 'was replaced knowingly and is visible (I2)' : 'was acknowledged and is nowhere (I3)';
  return `${kind}: write ${nameOf(write)} ${what}`;
}

export function describeFailure(failure: unknown): string {
  return failure instanceof Error ? `${failure.name}: ${failure.message}\n${failure.stack}` : String(failure);
}
