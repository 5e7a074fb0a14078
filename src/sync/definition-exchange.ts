import type { CollectionName } from '../core/ids/index.ts';
import { type CollectionDefinition, compareDefinitions, type DefinitionMismatch } from '../core/replication/index.ts';
import type { DefinitionsMessage } from '../net/messages/index.ts';
import type { SessionContext } from './session-context.ts';

/**
 * R3: both ends say how their programs define collections, whenever they define one, and each reports how the other differs.
 * A mismatch never stops replication. Collections that only one end wants are ignored.
 */
export class DefinitionExchange {
  readonly #context: SessionContext;
  readonly #told = new Map<CollectionName, CollectionDefinition>();
  readonly #heard = new Map<CollectionName, CollectionDefinition>();
  #reported = '[]';

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Call when the session has opened, and when the program of this node has defined a collection. */
  defined(): void {
    const news = [...this.#context.deps.definitions()].filter(([name, said]) => this.#told.get(name) !== said);
    const collections = this.#remember(this.#told, news);
    if (collections.length > 0) this.#context.send({ kind: 'definitions', collections });
    this.#report();
  }

  heard({ collections }: DefinitionsMessage): void {
    this.#remember(
      this.#heard,
      collections.map((said) => [said.collection, said]),
    );
    this.#report();
  }

  /** Remembers definitions while there is room, and returns the remembered ones: the first collections stay. */
  #remember(
    into: Map<CollectionName, CollectionDefinition>,
    said: readonly (readonly [CollectionName, CollectionDefinition])[],
  ): CollectionDefinition[] {
    const { definitionsMax } = this.#context.deps.limits;
    return said.flatMap(([name, definition]) => {
      if (!into.has(name) && into.size >= definitionsMax) return [];
      into.set(name, definition);
      return [definition];
    });
  }

  #report(): void {
    const mismatches = this.#mismatches();
    const text = JSON.stringify(mismatches);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#context.event({ kind: 'definitions', mismatches });
  }

  #mismatches(): DefinitionMismatch[] {
    const { deps, peer } = this.#context;
    const ours = { resolvers: deps.hello().resolvers, collections: this.#told };
    const theirs = { resolvers: peer!.resolvers, collections: this.#heard };
    const found: DefinitionMismatch[] = [];
    for (const mismatch of compareDefinitions(ours, theirs)) {
      if (found.length >= deps.limits.definitionMismatchesMax) break;
      if (mismatch.collection === '*' || this.#context.isShared(mismatch.collection as CollectionName))
        found.push(mismatch);
    }
    return found;
  }
}
