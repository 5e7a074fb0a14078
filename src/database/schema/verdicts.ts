import type { Limits } from '../../core/config/index.ts';
import { RecentlyUsed } from '../recently-used.ts';
import type { DocumentIssue } from './document-invalid.ts';

/** What a validator returned for a stored document: the document unchanged, or issues. */
export type Verdict = 'as it is' | readonly DocumentIssue[];

interface Judged {
  readonly text: string;
  readonly verdict: Verdict;
}

/** All documents are of one collection. */
const SPACE = '';

/**
 * A cache of verdicts on stored documents, by key and text: so each state of a document is validated once. It holds at most
 * `verdictsMax` documents and `verdictCharactersMax` characters of their text; the least recently used are dropped first.
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
