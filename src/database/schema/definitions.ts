import type { Limits } from '../../core/config/index.ts';
import { ConfigurationError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import { createResolverRegistry, type Resolver, type ResolverChoice } from '../../core/merge/index.ts';
import type { CollectionDefinition } from '../../core/replication/index.ts';
import { Evolution } from '../evolution/index.ts';
import { type HistorySettings, parseHistoryOptions } from '../history/index.ts';
import { resolverText } from '../replica/index.ts';
import type { CollectionOptions } from './collection-options.ts';
import { DefinedCodec, type DocumentCodec, plainCodec, storedFormCodec } from './document-codec.ts';
import { schemaDigest } from './schema-digest.ts';

interface Definition {
  readonly schema: CollectionOptions['schema'];
  readonly migrations: CollectionOptions['migrations'];
  /** The codec of handles that were opened with a schema or versions. */
  readonly codec: DocumentCodec;
  /** The codec of handles that were opened without. */
  readonly plain: DocumentCodec;
  readonly version: number;
  /** Digest of what the schema accepts, for other nodes; null: unknown. */
  readonly digest: string | null;
}

/** The definitions of collections that the program made since it opened the database. */
export class Definitions {
  readonly #limits: Limits;
  readonly #plain: DocumentCodec;
  readonly #configured: (collection: CollectionName) => Resolver;
  readonly #byName = new Map<CollectionName, Definition>();
  readonly #resolvers = new Map<CollectionName, Resolver>();
  readonly #history = new Map<CollectionName, HistorySettings>();
  readonly #listeners = new Set<() => void>();
  readonly #said = new Map<CollectionName, CollectionDefinition>();

  constructor(limits: Limits, configured: (collection: CollectionName) => Resolver) {
    this.#limits = limits;
    this.#plain = plainCodec(limits);
    this.#configured = configured;
  }

  readonly resolverOf = (collection: CollectionName): Resolver =>
    this.#resolvers.get(collection) ?? this.#configured(collection);

  readonly historyOf = (collection: CollectionName): HistorySettings | undefined => this.#history.get(collection);

  /** `name@revision` of the resolvers that the program chose (R3). */
  resolversByProgram(): ReadonlyMap<CollectionName, string> {
    return new Map([...this.#resolvers].map(([name, resolver]) => [name, resolverText(resolver)]));
  }

  /** Calls `listener` when `said` changes. Returns a function that unsubscribes. */
  onSaid(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The definitions that other nodes get: resolver, version and schema digest. A changed entry is a new object. */
  said(): ReadonlyMap<CollectionName, CollectionDefinition> {
    return this.#said;
  }

  /** The codec of a handle without options. */
  codec(collection: CollectionName): DocumentCodec {
    return this.#byName.get(collection)?.plain ?? this.#plain;
  }

  /**
   * Defines a collection. The newest schema and migrations also apply to writes of handles without options. Throws
   * CONFIG_ERROR / OPTION_INVALID for invalid options, and for another resolver or version than before.
   */
  define(collection: CollectionName, options: CollectionOptions): DocumentCodec {
    checkOptions(collection, options);
    const { schema, resolver, version, migrations } = options;
    const chosen = this.#chosen(collection, resolver);
    const isShaped = schema !== undefined || version !== undefined || migrations !== undefined;
    const definition = isShaped ? this.#shaped(collection, options) : undefined;
    const history = this.#chosenHistory(collection, options);
    if (definition !== undefined) this.#byName.set(collection, definition);
    if (history !== undefined) this.#history.set(collection, history);
    if (chosen !== undefined) this.#resolvers.set(collection, chosen);
    if (definition !== undefined || resolver !== undefined) this.#say(collection);
    return definition?.codec ?? this.codec(collection);
  }

  #say(collection: CollectionName): void {
    const { version = null, digest: schema = null } = this.#byName.get(collection) ?? {};
    const said = { collection, resolver: resolverText(this.resolverOf(collection)), version, schema };
    const before = this.#said.get(collection);
    const isSame = before?.resolver === said.resolver && before.version === version && before.schema === schema;
    if (isSame) return;
    this.#said.set(collection, said);
    for (const listener of this.#listeners) listener();
  }

  #chosen(collection: CollectionName, choice: ResolverChoice | undefined): Resolver | undefined {
    const before = this.#resolvers.get(collection);
    const chosen =
      choice === undefined ? before : createResolverRegistry({ byCollection: { [collection]: choice } })(collection);
    if (before === undefined || before === chosen) return chosen;
    throw invalid(collection, 'resolver', `was ${before.name} since this database was opened`);
  }

  /** The newest settings apply; they concern only this node and may change. */
  #chosenHistory(collection: CollectionName, { history }: CollectionOptions): HistorySettings | undefined {
    if (history === undefined) return undefined;
    const settings = parseHistoryOptions(history);
    if ('problem' in settings) throw invalid(collection, 'history', settings.problem);
    return settings;
  }

  #shaped(collection: CollectionName, { schema, version, migrations }: CollectionOptions): Definition {
    const standard = schema?.['~standard'];
    if (schema !== undefined && (standard?.version !== 1 || typeof standard.validate !== 'function'))
      throw invalid(collection, 'schema', 'is no validator of Standard Schema version 1');
    const evolution = new Evolution(collection, version, migrations);
    const before = this.#byName.get(collection);
    if (before !== undefined && before.version !== evolution.version)
      throw invalid(collection, 'version', `was ${before.version} since this database was opened`);
    if (before?.schema === schema && before?.migrations === migrations && before !== undefined) return before;
    const codec = new DefinedCodec(collection, schema, evolution, this.#limits);
    const plain = storedFormCodec(codec, this.#limits);
    const digest = schema === undefined ? null : schemaDigest(schema);
    return { schema, migrations, codec, plain, version: evolution.version, digest };
  }
}

const OPTIONS: readonly string[] = [
  'schema',
  'resolver',
  'version',
  'migrations',
  'indexes',
  'history',
] satisfies readonly (keyof CollectionOptions)[];

/** Checks the names of the options, for programs that no compiler has checked. */
function checkOptions(collection: CollectionName, options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(collection, 'options', `are ${String(options)}; write an object such as { resolver: 'merge' }`);
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined)
    throw invalid(collection, 'options', `hold the unknown ${JSON.stringify(unknown)}; known: ${OPTIONS.join(' ')}`);
}

function invalid(collection: string, key: string, problem: string): ConfigurationError {
  return new ConfigurationError('OPTION_INVALID', `the ${key} of collection ${JSON.stringify(collection)} ${problem}`, {
    details: { key, collection },
  });
}
