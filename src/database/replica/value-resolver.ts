import { type DocumentState, visibleVersions } from '../../core/document/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { type Resolver, resolveDocument } from '../../core/merge/index.ts';

export interface ValueResolverDeps {
  readonly resolverOf: (collection: CollectionName) => Resolver;
  readonly logger: Logger;
  /** Times a resolver, ms. */
  readonly monotonic: () => number;
}

/** R3: what readers see of a document. A resolver that fails is reported, and `lww` decides in its place; so is a slow one, once. */
export class ValueResolver {
  readonly #deps: ValueResolverDeps;
  readonly #slow = new Set<Resolver>();
  #isRunning = false;

  constructor(deps: ValueResolverDeps) {
    this.#deps = deps;
  }

  /** True while a resolver runs. It is a program's own code and must not change the database that is asking it. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  resolve(collection: CollectionName, document: DocumentState): string | null {
    if (document.versions.length === 1) return visibleVersions(document)[0]?.value ?? null;
    const resolver = this.#deps.resolverOf(collection);
    this.#isRunning = true;
    const { text, failed, slowMs } = resolveDocument(document, resolver, { monotonic: this.#deps.monotonic });
    this.#isRunning = false;
    if (failed !== undefined)
      this.#deps.logger.error(
        { collection, resolver: resolver.name, reason: failed.reason },
        'resolver failed, fell back to lww',
      );
    if (slowMs !== undefined) this.#reportSlow(collection, resolver, slowMs);
    return text;
  }

  #reportSlow(collection: CollectionName, resolver: Resolver, tookMs: number): void {
    if (this.#slow.has(resolver)) return;
    this.#slow.add(resolver);
    this.#deps.logger.warn(
      { collection, resolver: resolver.name, tookMs },
      'resolver is slow: everything on this node waits for it; told once',
    );
  }
}

export function resolverText(resolver: Resolver): string {
  return `${resolver.name}@${resolver.revision}`;
}
