import type { OptionNames } from '../core/options/index.ts';
import type { ReadOptions, ScanOptions, WaitOptions, WriteOptions } from './document-api.ts';

/** The member names of options that several methods share. */
export const WAIT: OptionNames<WaitOptions> = { signal: true };
export const READ: OptionNames<ReadOptions> = { ...WAIT, includeInvalid: true };
export const WRITE: OptionNames<WriteOptions> = { ifVersion: true, ...WAIT };
export const SCAN: OptionNames<ScanOptions> = { after: true, ...WAIT };
