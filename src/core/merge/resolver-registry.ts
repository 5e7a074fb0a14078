import { ConfigurationError } from '../errors/index.ts';
import type { CollectionName } from '../ids/index.ts';
import { lww } from './lww.ts';
import { merge } from './merge.ts';
import type { Resolver } from './resolver.ts';

/** The name of a resolver of this library, or a resolver of your own. */
export type ResolverChoice = 'lww' | 'merge' | Resolver;

export interface ResolverRegistryOptions {
  /** For collections that `byCollection` does not name. Default `lww`. */
  readonly default?: ResolverChoice;
  readonly byCollection?: Readonly<Record<string, ResolverChoice>>;
}

/**
 * Returns a function that gives the resolver of a collection; the choice is fixed while a database is open. Throws
 * CONFIG_ERROR / OPTION_INVALID for an unknown name, an object that is not a resolver, or a resolver with the name of one of
 * this library's.
 */
export function createResolverRegistry(
  options: ResolverRegistryOptions = {},
): (collection: CollectionName) => Resolver {
  const otherwise = toResolver(options.default ?? 'lww', 'the default');
  const byCollection = new Map(
    Object.entries(options.byCollection ?? {}).map(([collection, choice]) => [
      collection,
      toResolver(choice, `collection ${JSON.stringify(collection)}`),
    ]),
  );
  return (collection) => byCollection.get(collection) ?? otherwise;
}

const BUILT_IN: ReadonlyMap<unknown, Resolver> = new Map([
  [lww.name, lww],
  [merge.name, merge],
]);

function toResolver(choice: ResolverChoice, whose: string): Resolver {
  const builtIn = BUILT_IN.get(choice);
  if (builtIn) return builtIn;
  if (typeof choice === 'string') {
    throw invalid(
      `the resolver ${JSON.stringify(choice)} of ${whose} does not exist; use ${[...BUILT_IN.keys()].join(', ')}`,
    );
  }
  const isResolver =
    typeof choice?.resolve === 'function' &&
    /^[\w.-]{1,64}$/.test(choice.name) &&
    Number.isSafeInteger(choice.revision);
  if (!isResolver) {
    throw invalid(
      `the resolver of ${whose} needs name (letters, digits, . _ -, at most 64), an integer revision, and resolve`,
    );
  }
  const namesake = BUILT_IN.get(choice.name);
  if (namesake !== undefined && namesake !== choice) {
    throw invalid(
      `the resolver of ${whose} has the name ${choice.name}, which belongs to this library; give it another name`,
    );
  }
  return choice;
}

function invalid(message: string): ConfigurationError {
  return new ConfigurationError('OPTION_INVALID', message, { details: { key: 'Resolvers' } });
}
