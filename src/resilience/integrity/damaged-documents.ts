import { LIMITS } from '../../core/config/index.ts';
import { type CollectionName, type DocumentKey, fullKey } from '../../core/ids/index.ts';
import type { EventLog } from '../event-log.ts';

/** What became of a damaged document. `missing`: neither a peer nor a backup could bring it back. */
export type DamageOutcome = 'missing' | 'from-peer' | 'from-backup' | 'written-again' | 'deleted-elsewhere';

export interface DamagedDocument {
  readonly collection: CollectionName;
  readonly key: DocumentKey;
  /** `waiting`: the row was removed, and a peer or a backup should bring it back. */
  state: 'waiting' | DamageOutcome;
  /** When it was found, monotonic ms; `sinceWallMs`: the same as wall clock. */
  readonly sinceMs: number;
  readonly sinceWallMs: number;
  readonly eventId: number;
}

/** How many lost documents are named one by one. */
const TOLD_MAX = 5;

/** The documents that nothing has brought back, as sentences for the user: which, and what to do. */
export function lossTexts(documents: readonly DamagedDocument[]): string[] {
  const lost = documents.filter(({ state }) => state === 'missing');
  const texts = lost.slice(0, TOLD_MAX).map(({ collection, key }) => {
    const name = `document ${JSON.stringify(key)} in ${JSON.stringify(collection)}`;
    return `${name} was damaged on disk and is gone; no peer and no backup has it. A node that has it brings it back; otherwise write it again, and delete it if nobody needs it`;
  });
  const left = lost.length - texts.length;
  return left === 0 ? texts : [...texts, `${left} more documents are gone: see entgldb check`];
}

/** Documents that were found damaged and are not back, in bounded number. Each has an event that says what became of it. */
export class DamagedDocuments {
  readonly #log: EventLog;
  readonly #byName = new Map<string, DamagedDocument>();

  constructor(log: EventLog, nowMs: number) {
    this.#log = log;
    for (const { id, at, kind, fields } of log.all()) {
      const { collection, key, state } = fields as Record<string, string>;
      if (kind !== 'document-damaged' || (state !== 'waiting' && state !== 'missing')) continue;
      this.#keep({
        collection: collection as CollectionName,
        key: key as DocumentKey,
        state,
        sinceMs: nowMs,
        sinceWallMs: at,
        eventId: id,
      });
    }
  }

  get size(): number {
    return this.#byName.size;
  }

  get all(): DamagedDocument[] {
    return [...this.#byName.values()];
  }

  get waiting(): DamagedDocument[] {
    return this.all.filter(({ state }) => state === 'waiting');
  }

  count(state: 'waiting' | 'missing'): number {
    let count = 0;
    for (const document of this.#byName.values()) if (document.state === state) count++;
    return count;
  }

  get(collection: CollectionName, key: DocumentKey): DamagedDocument | undefined {
    return this.#byName.get(fullKey(collection, key));
  }

  /** Adds a document that was found damaged. */
  add(collection: CollectionName, key: DocumentKey, nowMs: number, wallMs: number): void {
    const held = this.get(collection, key);
    if (held?.state === 'waiting') return;
    if (held !== undefined) this.#byName.delete(fullKey(collection, key));
    const state = 'waiting';
    const eventId = this.#log.append('document-damaged', { collection, key, state });
    this.#keep({ collection, key, state, sinceMs: nowMs, sinceWallMs: wallMs, eventId });
  }

  /** Records what became of a document; only a missing one is remembered further. */
  settle(document: DamagedDocument, state: DamageOutcome): void {
    const { collection, key, eventId } = document;
    document.state = state;
    if (state !== 'missing') this.#byName.delete(fullKey(collection, key));
    this.#log.replace(eventId, 'document-damaged', { collection, key, state });
  }

  /** Beyond the limit the oldest document is no longer followed; its event stays. */
  #keep(document: DamagedDocument): void {
    this.#byName.set(fullKey(document.collection, document.key), document);
    if (this.#byName.size > LIMITS.eventsMax) this.#byName.delete(this.#byName.keys().next().value!);
  }
}
