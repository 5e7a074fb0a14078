import type { CollectionName } from '../core/ids/index.ts';
import type { SummaryMessage } from '../net/messages/index.ts';

/** A summary that comes in parts. */
export class SummaryParts {
  #digests = new Map<CollectionName, Uint8Array>();

  /** The digests of all parts; undefined: there are more to come. Of collections that do not count here nothing is kept. */
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
