import type { Limits } from '../../core/config/index.ts';
import { RecentlyUsed } from '../recently-used.ts';
import type { DocumentIssue } from './document-invalid.ts';

/** What a validator made of a stored text: nothing, so that it need not be asked again, or its issues. */
export type Verdict = 'as it is' | readonly DocumentIssue[];

interface Judged {
  readonly text: string;
  readonly verdict: Verdict;
}

/** All are of one collection. */
const SPACE = '';

/**
 * Verdicts on stored documents, by key and the very text: a document is validated once for each state that is read.
 * Holds `verdictsMax` documents and `verdictCharactersMax` characters of their text; the least recently used go first.
 */
export class Verdicts {
  readonly #judged: RecentlyUsed<Judged>;

  constructor({ verdictsMax, verdictCharactersMax }: Pick<Limits, 'verdictsMax' | 'verdictCharactersMax'>) {
    this.#judged = new RecentlyUsed({ weightMax: verdictCharactersMax, countMax: verdictsMax });
  }

  of(key: string, text: string): Verdict | undefined {
    const held = this.#judged.get(SPACE, key);
    return held?.text === text ? held.verdict : undefined;
  }

  keep(key: string, text: string, verdict: Verdict): void {
    this.#judged.set(SPACE, key, { text, verdict }, text.length + key.length);
  }
}
