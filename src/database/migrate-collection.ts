import { isEntglDbError } from '../core/errors/index.ts';
import type { CollectionName } from '../core/ids/index.ts';
import type { MigrateOptions, MigrateProgress } from './api.ts';
import type { DocumentHost } from './document-host.ts';
import { versionToken } from './replica/index.ts';
import type { DocumentCodec } from './schema/index.ts';

type Outcome = 'migrated' | 'invalid' | 'left';

/**
 * Writes documents of older versions back in the newest shape. Two nodes that do so concurrently write the same. A document
 * that somebody writes meanwhile already has the newest shape, so it is left alone.
 */
export async function migrateCollection(
  host: DocumentHost,
  collection: CollectionName,
  codec: DocumentCodec,
  { signal, onProgress }: MigrateOptions,
): Promise<MigrateProgress> {
  const counts = { documents: 0, migrated: 0, invalid: 0 };
  for await (const page of host.scan(collection, signal)) {
    const documents = page.filter(({ value }) => value !== null);
    const outcomes = await Promise.all(
      documents.map(async (row): Promise<Outcome> => {
        const { key, value } = row;
        if (value === null || !codec.isOlder(value)) return 'left';
        try {
          const text = await codec.encode(key, codec.open(value).document);
          await host.write(collection, [{ collection, key, value: text, ifVersion: versionToken(row) }]);
          return 'migrated';
        } catch (error) {
          if (isEntglDbError(error, 'CONCURRENCY_CONFLICT')) return 'left';
          if (isEntglDbError(error) && error.reason !== 'DOCUMENT_INVALID' && error.reason !== 'INVALID_DOCUMENT')
            throw error;
          return 'invalid';
        }
      }),
    );
    counts.documents += documents.length;
    for (const outcome of outcomes) if (outcome !== 'left') counts[outcome]++;
    onProgress?.({ ...counts });
    signal?.throwIfAborted();
  }
  return counts;
}
