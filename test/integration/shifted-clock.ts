/** Loaded before a node (`node --import`), for tests: its wall clock is off by so many milliseconds. Time passes as ever. */
const shiftMs = Number(process.env.ENTGLDB_TEST_CLOCK_SHIFT_MS ?? 0);
const now = Date.now.bind(Date);
Date.now = () => now() + shiftMs;
