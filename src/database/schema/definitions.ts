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
  /** Of handles that were given schema or versions. */
  readonly codec: DocumentCodec;
  /** Of handles that were not. */
  readonly plain: DocumentCodec;
  readonly version: number;
  /** What the schema takes, for other nodes; null: nobody can tell. */
  readonly digest: string | null;
}

/** What the program said of its collections since the database was opened. */
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

  /** R3: `name@revision` of the resolvers that the program chose. */
  resolversByProgram(): ReadonlyMap<CollectionName, string> {
    return new Map([...this.#resolvers].map(([name, resolver]) => [name, resolverText(resolver)]));
  }

  /** Called when something new is said. Returns what ends the subscription. */
  onSaid(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What other nodes are told of it: resolvers and shapes that the program chose. An entry that changes is another object. */
  said(): ReadonlyMap<CollectionName, CollectionDefinition> {
    return this.#said;
  }

  /** For a handle without options. */
  codec(collection: CollectionName): DocumentCodec {
    return this.#byName.get(collection)?.plain ?? this.#plain;
  }

  /**
   * The newest schema and migrations are those of handles without any. Throws CONFIG_ERROR / OPTION_INVALID for options that
   * mean nothing, and for another resolver or version than was given before.
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

  /** The newest settings count: they are this node's own. */
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

/** A program that no compiler has looked at may misspell what it cares for most. */
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
