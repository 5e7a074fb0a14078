import type { Limits } from '../../core/config/index.ts';
import { ConfigurationError } from '../../core/errors/index.ts';
import type { CollectionName } from '../../core/ids/index.ts';
import { createResolverRegistry, type Resolver } from '../../core/merge/index.ts';
import { Evolution } from '../evolution/index.ts';
import type { CollectionOptions } from './collection-options.ts';
import { DefinedCodec, type DocumentCodec, plainCodec } from './document-codec.ts';

interface Definition {
  readonly options: CollectionOptions;
  readonly codec: DocumentCodec;
  readonly resolver: Resolver | undefined;
}

/** How a handle reads and writes: without a definition of its own it reads what is stored, and writes what the program's definition lets pass. */
export interface Codecs {
  readonly reading: DocumentCodec;
  readonly writing: DocumentCodec;
}

/** What the program said of its collections since the database was opened. */
export class Definitions {
  readonly #limits: Limits;
  readonly #plain: DocumentCodec;
  readonly #configured: (collection: CollectionName) => Resolver;
  readonly #byName = new Map<CollectionName, Definition>();

  constructor(limits: Limits, configured: (collection: CollectionName) => Resolver) {
    this.#limits = limits;
    this.#plain = plainCodec(limits);
    this.#configured = configured;
  }

  readonly resolverOf = (collection: CollectionName): Resolver =>
    this.#byName.get(collection)?.resolver ?? this.#configured(collection);

  /** Names of collections whose resolver the program chose. */
  resolved(): CollectionName[] {
    return [...this.#byName].filter(([, { resolver }]) => resolver !== undefined).map(([name]) => name);
  }

  codecs(collection: CollectionName): Codecs {
    return { reading: this.#plain, writing: this.#byName.get(collection)?.codec ?? this.#plain };
  }

  /**
   * The newest schema and migrations are those of handles without any. Throws CONFIG_ERROR / OPTION_INVALID for options that
   * mean nothing, and for another resolver or version than was given before.
   */
  define(collection: CollectionName, options: CollectionOptions): Codecs {
    const before = this.#byName.get(collection);
    const after = this.#parse(collection, options);
    if (before !== undefined && before.codec.version !== after.codec.version)
      throw invalid(collection, 'version', `was ${before.codec.version} since this database was opened`);
    if (before?.resolver !== undefined && after.resolver !== undefined && before.resolver !== after.resolver)
      throw invalid(collection, 'resolver', `was ${before.resolver.name} since this database was opened`);
    const isSame = before?.options.schema === options.schema && before?.options.migrations === options.migrations;
    const { codec } = before !== undefined && isSame ? before : after;
    const definition = { options, codec, resolver: after.resolver ?? before?.resolver };
    this.#byName.set(collection, definition);
    return { reading: definition.codec, writing: definition.codec };
  }

  #parse(collection: CollectionName, options: CollectionOptions): Definition {
    const { schema, resolver, version, migrations } = options;
    const standard = schema?.['~standard'];
    if (schema !== undefined && (standard?.version !== 1 || typeof standard.validate !== 'function'))
      throw invalid(collection, 'schema', 'is no validator of Standard Schema version 1');
    const evolution = new Evolution(collection, version, migrations);
    const isPlain = schema === undefined && evolution.version === 0;
    return {
      options,
      codec: isPlain ? this.#plain : new DefinedCodec(collection, schema, evolution, this.#limits),
      resolver: resolver === undefined ? undefined : createResolverRegistry({ default: resolver })(collection),
    };
  }
}

function invalid(collection: string, key: string, problem: string): ConfigurationError {
  return new ConfigurationError('OPTION_INVALID', `the ${key} of collection ${JSON.stringify(collection)} ${problem}`, {
    details: { key, collection },
  });
}
