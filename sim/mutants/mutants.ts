import { FEED_MUTANTS } from './feed-mutants.ts';
import { LEDGER_MUTANTS } from './ledger-mutants.ts';
import { LIFE_MUTANTS } from './life-mutants.ts';
import { LIVE_SET_MUTANTS } from './live-set-mutants.ts';
import type { Mutant } from './mutant.ts';
import { PROGRAM_MUTANTS } from './program-mutants.ts';
import { RECEIPT_MUTANTS } from './receipt-mutants.ts';
import { ROUND_MUTANTS } from './round-mutants.ts';
import { WRITE_MUTANTS } from './write-mutants.ts';

/** Each rule of the engine switched off once, and mistakes that are easily made near them. */
export const MUTANTS: readonly Mutant[] = [
  ...WRITE_MUTANTS,
  ...ROUND_MUTANTS,
  ...LIVE_SET_MUTANTS,
  ...LIFE_MUTANTS,
  ...FEED_MUTANTS,
  ...LEDGER_MUTANTS,
  ...RECEIPT_MUTANTS,
  ...PROGRAM_MUTANTS,
];
