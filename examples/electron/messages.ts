import type { LiveChange, LiveOptions } from 'entgldb';

/** What a window asks for. `id` is the window's own number of the query. */
export type Request =
  | {
      readonly id: number;
      readonly kind: 'open';
      readonly collection: string;
      readonly filter: object;
      readonly options: Pick<LiveOptions<object>, 'sort' | 'skip' | 'limit'>;
    }
  /** The window has shown the last update and is ready for the next. So a busy window gets fewer, larger updates. */
  | { readonly id: number; readonly kind: 'next' }
  | { readonly id: number; readonly kind: 'close' };

export type Answer =
  | { readonly id: number; readonly kind: 'update'; readonly changes: readonly LiveChange<object>[] }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };
