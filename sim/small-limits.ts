import { LIMITS, type Limits } from '../src/core/config/index.ts';

/** Limits so small that small data takes every path meant for large data. */
export const SMALL_LIMITS: Limits = {
  ...LIMITS,
  messageVersionsMax: 2,
  messageBytesMax: 200,
  sessionCreditBytes: 400,
  rangeListMax: 1,
  gapVersionsMin: 1,
  liveGroupBytesMax: 2000,
  liveGroupVersionsMax: 6,
  liveMessagesMax: 3,
  goneLogMax: 4,
  echoMemoryMax: 4,
};

/** Live groups stay whole, but take several messages. */
export const SPLIT_LIMITS: Limits = {
  ...LIMITS,
  messageVersionsMax: 2,
  messageBytesMax: 200,
  echoMemoryMax: 4,
  gapVersionsMin: 3,
};
