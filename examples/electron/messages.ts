import type { LiveChange, LiveOptions } from 'entgldb';

/** What a window asks for. `id` is its own number of the query. */
export type Request =
  | {
      readonly id: number;
      readonly kind: 'open';
      readonly collection: string;
      readonly filter: object;
      readonly options: Pick<LiveOptions<object>, 'sort' | 'skip' | 'limit'>;
    }
  /** It has shown what it got: the next difference, please. So a window that is busy gets fewer and larger ones. */
  | { readonly id: number; readonly kind: 'next' }
  | { readonly id: number; readonly kind: 'close' };

export type Answer =
  | { readonly id: number; readonly kind: 'update'; readonly changes: readonly LiveChange<object>[] }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };
