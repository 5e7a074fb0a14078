import type { CollectionName } from '../../core/ids/index.ts';
import type { SummaryMessage } from '../../net/messages/index.ts';

/** Joins a summary that arrives in parts. */
export class SummaryParts {
  #digests = new Map<CollectionName, Uint8Array>();

  /** The digests of all parts; undefined while more are to come. Collections that do not count here are not kept. */
  take(
    { collections, more }: SummaryMessage,
    counts: (name: CollectionName) => boolean,
  ): ReadonlyMap<CollectionName, Uint8Array> | undefined {
    const digests = this.#digests;
    for (const { collection, digest } of collections) if (counts(collection)) digests.set(collection, digest);
    if (more === true) return undefined;
    this.#digests = new Map();
    return digests;
  }
}
