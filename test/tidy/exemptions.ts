/** Functions over the length limit, by `path#name`, with the reason. An entry that no longer applies fails the test. */
export const LONG_FUNCTIONS: Readonly<Record<string, string>> = {};

/** Uses of clock, random, timers, process or console outside src/node, by path, with the reason. Stale entries fail too. */
export const AMBIENT: Readonly<Record<string, string>> = {
  'src/resilience/backup/backup-name.ts': 'it writes a time that it was given as a name, and reads it back',
};

/** Tests that wait for real time, by path, with the reason. */
export const SLEEPS: Readonly<Record<string, string>> = {
  'src/node/system-clock.test.ts': 'it is about the real timers',
};
