const UNITS: readonly (readonly [ms: number, noun: string])[] = [
  [365 * 86_400_000, 'year'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];
/** Below this count the next smaller unit is used, as it says more. */
const COUNT_MIN = 2;

/** A span of time in either direction as people say it: "90 seconds", "3 days", "10 years". */
export function spanText(ms: number): string {
  const size = Math.abs(ms);
  const [unitMs, noun] = UNITS.find(([each]) => Math.round(size / each) >= COUNT_MIN) ?? [1000, 'second'];
  const count = Math.round(size / unitMs);
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
