import type { Limits } from '../../core/config/index.ts';
import type { RemoteVersion } from '../../core/replication/index.ts';
import type { StoredDocument, StoredVersion } from '../../store/index.ts';
import { entriesOf, versionBytes } from '../version-size.ts';

/** Assumed size of a version, bytes, before anything was sent. */
const VERSION_BYTES_FIRST = 512;
/** Versions in the first page of a read that nothing else bounds. Each further page may have twice as many, up to what fits. */
const PAGE_FIRST = 16;

/**
 * How many versions to read at a time, so that they fill about one message. Sizes are guessed from what was sent last. Large
 * documents may follow a run of small ones, so a page is cut to size after it was read.
 */
export class PageSize {
  readonly #limits: Limits;
  #versionBytes = VERSION_BYTES_FIRST;
  #grown = PAGE_FIRST;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** How many versions to read for one message. */
  get ofMessage(): number {
    const { messageBytesMax, messageVersionsMax } = this.#limits;
    return this.#fitting(messageBytesMax, Math.min(messageVersionsMax, this.#grown));
  }

  /** How many versions to read for one message, by a read that also ends at the characters of one. */
  get ofDelta(): number {
    const { messageBytesMax, messageVersionsMax } = this.#limits;
    return this.#fitting(messageBytesMax, messageVersionsMax);
  }

  /** How many documents to read for a live group, which is applied as a whole. */
  get ofGroup(): number {
    const { liveGroupBytesMax, liveGroupVersionsMax } = this.#limits;
    return this.#fitting(liveGroupBytesMax, liveGroupVersionsMax);
  }

  /** Cuts versions into messages of bounded size. */
  *messages(
    versions: readonly RemoteVersion[],
  ): Generator<{ readonly part: readonly RemoteVersion[]; readonly bytes: number; readonly isLast: boolean }> {
    const { messageVersionsMax } = this.#limits;
    for (let from = 0; from < versions.length; ) {
      let [bytes, entries, to] = [0, 1, from];
      while (to < versions.length && to - from < messageVersionsMax) {
        const next = versions[to]!;
        if (to > from && !this.#hasRoom(bytes, entries + entriesOf(next))) break;
        bytes += versionBytes(next.key, next);
        entries += entriesOf(next);
        to++;
      }
      this.#versionBytes = Math.max(64, bytes / (to - from));
      this.#grown = Math.min(messageVersionsMax, 2 * this.#grown);
      yield { part: versions.slice(from, to), bytes, isLast: to === versions.length };
      from = to;
    }
  }

  /** Whether a message of `bytes` takes one more version, which makes it `entries` entries. */
  #hasRoom(bytes: number, entries: number): boolean {
    return bytes < this.#limits.messageBytesMax && entries <= this.#limits.messageEntriesMax;
  }

  /** The start of a page that fits one message: at least one version, and versions with the same seq stay together. */
  cutPage(page: readonly StoredVersion[]): readonly StoredVersion[] {
    const cut = this.#cut(page, ({ key, version }) => versionBytes(key, version));
    let end = cut.length;
    while (end < page.length && page[end]!.version.seq === page[end - 1]!.version.seq) end++;
    return page.slice(0, end);
  }

  /** The start of some changes that fits one message: at least one document. */
  cutChanges(page: readonly StoredDocument[]): readonly StoredDocument[] {
    return this.#cut(page, documentBytes);
  }

  isGroup(page: readonly StoredDocument[]): boolean {
    return page.reduce((bytes, document) => bytes + documentBytes(document), 0) <= this.#limits.liveGroupBytesMax;
  }

  #cut<Item>(page: readonly Item[], bytesOf: (item: Item) => number): readonly Item[] {
    let bytes = 0;
    const end = page.findIndex((item, i) => {
      bytes += bytesOf(item);
      return i > 0 && bytes > this.#limits.messageBytesMax;
    });
    if (end < 0) return page;
    // What did not fit predicts the following versions better than what did.
    this.#versionBytes = Math.max(64, bytes / (end + 1));
    return page.slice(0, end);
  }

  #fitting(bytesMax: number, countMax: number): number {
    return Math.max(1, Math.min(countMax, Math.ceil(bytesMax / this.#versionBytes)));
  }
}

function documentBytes({ versions, key }: StoredDocument): number {
  return versions.reduce((bytes, version) => bytes + versionBytes(key, version), 0);
}
