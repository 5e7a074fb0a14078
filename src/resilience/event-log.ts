import type { Clock } from '../core/clock/index.ts';
import type { JsonObject } from '../core/query/index.ts';
import { allEntries } from '../store/index.ts';
import type { EntryKeeper } from './entry-keeper.ts';

/** Something that happened to this database, kept for later reading. */
export interface LoggedEvent {
  readonly id: number;
  /** Wall clock, ms. */
  readonly at: number;
  readonly kind: string;
  readonly fields: JsonObject;
}

export interface EventLogOptions {
  readonly keeper: EntryKeeper;
  readonly clock: Clock;
  /** How many events are kept; the oldest is forgotten first. */
  readonly eventsMax: number;
}

/** The side table `events`: a bounded list of what happened, in order. Durable with the next flush. */
export class EventLog {
  readonly #options: EventLogOptions;
  #ids: number[] = [];

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#read();
    options.keeper.onReload(() => this.#read());
  }

  /** Returns the id of the event. */
  append(kind: string, fields: JsonObject): number {
    const { keeper, clock, eventsMax } = this.#options;
    const id = (this.#ids.at(-1) ?? 0) + 1;
    const forgotten = this.#ids.slice(0, Math.max(0, this.#ids.length + 1 - eventsMax));
    keeper.commitEntries((draft) => {
      draft.entry({ space: 'events', id, data: JSON.stringify({ at: clock.now(), kind, fields }) });
      for (const old of forgotten) draft.entry({ space: 'events', id: old, data: null });
    });
    this.#ids.splice(0, forgotten.length);
    this.#ids.push(id);
    return id;
  }

  /** Replaces the content of an event, unless it was already forgotten. */
  replace(id: number, kind: string, fields: JsonObject): void {
    const { keeper, clock } = this.#options;
    if (!this.#ids.includes(id)) return;
    keeper.commitEntries((draft) =>
      draft.entry({ space: 'events', id, data: JSON.stringify({ at: clock.now(), kind, fields }) }),
    );
  }

  /** All events, oldest first. */
  *all(): Generator<LoggedEvent> {
    for (const { id, data } of allEntries(this.#options.keeper.store, 'events')) yield { id, ...JSON.parse(data) };
  }

  #read(): void {
    this.#ids = [...this.all()].map(({ id }) => id);
  }
}
