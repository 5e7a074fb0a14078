import type { GoneDocument, StoredDocument } from '../../store/index.ts';
import { ChangedDocument } from './changed-document.ts';
import type { BacklogLimits, LiveSource } from './live-source.ts';

interface Follower {
  // The feed does not use states, so they may be of any type.
  readonly source: Pick<LiveSource<unknown>, 'advance' | 'invalidate' | 'isWaiting'>;
  /** Called with the error that ends this follower. */
  readonly onFailure: (error: unknown) => void;
}

interface Commit {
  readonly pos: number;
  readonly changes: readonly ChangedDocument[];
  readonly characters: number;
  /** Number of documents of the collection after this commit. */
  readonly documents: number;
}

/** The commits to one collection that are not durable yet, and the live sources that follow them. */
export class CollectionFeed {
  readonly #limits: BacklogLimits;
  readonly #followers = new Set<Follower>();
  #commits: Commit[] = [];
  #waiting = 0;
  #characters = 0;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#followers.size === 0;
  }

  add(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  note(pos: number, changed: readonly StoredDocument[], removed: readonly GoneDocument[], documents: number): void {
    const count = changed.length + removed.length;
    if (count === 0) return;
    const characters = changed.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const { liveBacklogMax, liveBacklogCharactersMax } = this.#limits;
    this.#waiting += count;
    this.#characters += characters;
    if (this.#waiting > liveBacklogMax || this.#characters > liveBacklogCharactersMax) return this.invalidate();
    const puts = changed.map((document) => new ChangedDocument(document.key, document.value));
    const drops = removed.map((document) => new ChangedDocument(document.key, null));
    this.#commits.push({ pos, documents, characters, changes: [...puts, ...drops] });
  }

  /** Makes every follower read its result again. */
  invalidate(): void {
    this.#commits = [];
    this.#waiting = 0;
    this.#characters = 0;
    for (const { source } of this.#followers) source.invalidate();
  }

  /** Passes on the commits that are durable now. */
  advance(durablePos: number): void {
    const commits = this.#take(durablePos);
    const changes = new Map<string, ChangedDocument>();
    for (const commit of commits) for (const change of commit.changes) changes.set(change.key, change);
    const documents = commits.at(-1)?.documents ?? 0;
    for (const follower of [...this.#followers]) {
      if (commits.length === 0 && !follower.source.isWaiting) continue;
      try {
        follower.source.advance(changes, documents);
      } catch (error) {
        follower.onFailure(error);
      }
    }
  }

  #take(durablePos: number): Commit[] {
    const open = this.#commits.findIndex(({ pos }) => pos > durablePos);
    const taken = this.#commits.splice(0, open < 0 ? this.#commits.length : open);
    for (const { changes, characters } of taken) {
      this.#waiting -= changes.length;
      this.#characters -= characters;
    }
    return taken;
  }
}
