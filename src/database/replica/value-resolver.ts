import { type DocumentState, visibleVersions } from '../../core/document/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import type { Logger } from '../../core/logging/index.ts';
import { type Resolver, resolveDocument } from '../../core/merge/index.ts';

export interface ValueResolverDeps {
  readonly resolverOf: (collection: CollectionName) => Resolver;
  readonly logger: Logger;
  /** A monotonic clock in ms, to time resolvers. */
  readonly monotonic: () => number;
}

/** R3: the value that readers see. If a resolver fails, that is logged and `lww` decides; a slow resolver is logged once. */
export class ValueResolver {
  readonly #deps: ValueResolverDeps;
  readonly #slow = new Set<Resolver>();
  #isRunning = false;

  constructor(deps: ValueResolverDeps) {
    this.#deps = deps;
  }

  /** True while a resolver runs. */
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
