import type { JsonValue } from './json.ts';
import { isJsonArray } from './path.ts';
import type { SearchWord } from './query.ts';

const BETWEEN_WORDS = /[^\p{L}\p{N}]+/u;
const MARKS = /\p{M}+/gu;

/** The words of a text, each once: runs of letters and digits, without accents (`é` is `e`), in lower case. */
function wordsOf(text: string): ReadonlySet<string> {
  const words = new Set(plain(text).split(BETWEEN_WORDS));
  words.delete('');
  return words;
}

/** The words to search for. A `*` right after a word stands for all words that begin with it. */
export function searchWordsOf(text: string): SearchWord[] {
  const found = new Map<string, SearchWord>();
  for (const [, word = '', star] of plain(text).matchAll(/([\p{L}\p{N}]+)(\*?)/gu)) {
    const isPrefix = star === '*';
    found.set(isPrefix ? `${word}*` : word, { word, isPrefix });
  }
  return [...found.values()];
}

/** The words in a text, or in the texts among the items of an array. */
export function wordsIn(found: JsonValue | undefined): ReadonlySet<string> {
  if (typeof found === 'string') return wordsOf(found);
  if (typeof found !== 'object' || found === null || !isJsonArray(found)) return new Set();
  const words = new Set<string>();
  for (const item of found) if (typeof item === 'string') for (const word of wordsOf(item)) words.add(word);
  return words;
}

/** Whether one of `words` is the searched word, or begins with it if it is a prefix. */
export function hasWord(words: ReadonlySet<string>, { word, isPrefix }: SearchWord): boolean {
  if (!isPrefix || words.has(word)) return words.has(word);
  for (const each of words) if (each.startsWith(word)) return true;
  return false;
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(MARKS, '').toLowerCase();
}
