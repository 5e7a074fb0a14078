import type { Durability } from './baselines/index.ts';
import type { SubjectName } from './bench-case.ts';

/** What the sending node, a process of its own, is told; each is answered with `SenderDone`. */
export type SenderCommand =
  | {
      readonly kind: 'open';
      readonly subject: SubjectName;
      readonly folder: string;
      readonly documents: number;
      readonly durability: Durability;
    }
  /** One batch of new revisions of random documents. */
  | { readonly kind: 'update'; readonly count: number; readonly round: number }
  /** Single writes, each carrying the moment when it was asked for, with a pause between them. */
  | { readonly kind: 'live'; readonly count: number; readonly pauseMs: number; readonly round: number }
  | { readonly kind: 'close' };

export interface SenderDone {
  /** After `open`: where it listens. */
  readonly port: number;
}

/** One end of the sync under measurement, whatever is inside. */
export interface SendingNode {
  readonly port: number;
  update(count: number, round: number): Promise<void>;
  live(index: number, text: string): Promise<void>;
  close(): Promise<void>;
}

/** The document of a live write: it carries the machine's monotonic clock, which all processes share. */
export function liveText(): string {
  return JSON.stringify({ at: String(process.hrtime.bigint()), note: 'x'.repeat(200) });
}

/** Milliseconds since the moment that the document carries. */
export function ageMs(at: unknown): number {
  return Number(process.hrtime.bigint() - BigInt(String(at))) / 1e6;
}
